CREATE TEMPORARY VIEW `by-numbers-step-1` AS
SELECT
  window_start,
  window_end,
  `quantity`,
  `paid`,
  `price`,
  `_count_1` AS `n`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `quantity`,
    `paid`,
    `price`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`
  FROM TABLE(
    TUMBLE(TABLE `by-numbers-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `quantity`, `paid`, `price`, window_time);

INSERT INTO `by-numbers-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(CAST(`quantity` AS DECIMAL(38, 0))), 'null'), ',', COALESCE(JSON_STRING(`paid`), 'null'), ',', COALESCE(JSON_STRING(CAST(CAST(`price` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2))), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`quantity` AS DECIMAL(38, 0)) AS `quantity`,
  `paid`,
  CAST(CAST(`price` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `price`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`
FROM `by-numbers-step-1`;
