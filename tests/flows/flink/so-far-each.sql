CREATE TEMPORARY VIEW `so-far-each-step-1` AS
SELECT
  window_start,
  window_end,
  `seller`,
  `_count_1` AS `n`,
  `_sum_2` AS `revenue`,
  `_distinct_3` AS `products`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `seller`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`price` AS DECIMAL(20, 0))) AS `_sum_2`,
    COUNT(DISTINCT `product`) AS `_distinct_3`
  FROM TABLE(
    CUMULATE(TABLE `so-far-each-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE, INTERVAL '3' MINUTE))
  GROUP BY window_start, window_end, `seller`, window_time);

INSERT INTO `so-far-each-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`seller`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `seller`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`,
  CAST(`products` AS DECIMAL(38, 0)) AS `products`
FROM `so-far-each-step-1`;
