CREATE TEMPORARY VIEW `sliding-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `n`,
  `_distinct_2` AS `sellers`,
  `_distinct_3` AS `products`,
  `_max_4` AS `most`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    COUNT(DISTINCT `seller`) AS `_distinct_2`,
    COUNT(DISTINCT `product`) AS `_distinct_3`,
    MAX(`price`) AS `_max_4`
  FROM TABLE(
    HOP(TABLE `sliding-source`, DESCRIPTOR(`_at`), INTERVAL '1' SECOND, INTERVAL '3' SECOND))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `sliding-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(`sellers` AS DECIMAL(38, 0)) AS `sellers`,
  CAST(`products` AS DECIMAL(38, 0)) AS `products`,
  CAST(CAST(`most` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `most`
FROM `sliding-step-1`;
