CREATE TEMPORARY VIEW `so-far-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `n`,
  `_distinct_2` AS `sellers`,
  `_max_3` AS `most`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    COUNT(DISTINCT `seller`) AS `_distinct_2`,
    MAX(`price`) AS `_max_3`
  FROM TABLE(
    CUMULATE(TABLE `so-far-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE, INTERVAL '3' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `so-far-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(`sellers` AS DECIMAL(38, 0)) AS `sellers`,
  CAST(CAST(`most` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `most`
FROM `so-far-step-1`;
