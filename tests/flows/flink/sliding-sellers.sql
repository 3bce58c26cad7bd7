CREATE TEMPORARY VIEW `sliding-sellers-step-1` AS
SELECT
  window_start,
  window_end,
  `seller`,
  `_count_1` AS `n`,
  `_distinct_2` AS `products`,
  `_min_3` AS `least`,
  `_max_4` AS `most`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `seller`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    COUNT(DISTINCT `product`) AS `_distinct_2`,
    MIN(`price`) AS `_min_3`,
    MAX(`price`) AS `_max_4`
  FROM TABLE(
    HOP(TABLE `sliding-sellers-source`, DESCRIPTOR(`_at`), INTERVAL '1' SECOND, INTERVAL '3' SECOND))
  GROUP BY window_start, window_end, `seller`, window_time);

INSERT INTO `sliding-sellers-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`seller`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `seller`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(`products` AS DECIMAL(38, 0)) AS `products`,
  CAST(CAST(`least` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `least`,
  CAST(CAST(`most` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `most`
FROM `sliding-sellers-step-1`;
