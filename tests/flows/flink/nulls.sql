CREATE TEMPORARY VIEW `nulls-step-1` AS
SELECT
  window_start,
  window_end,
  `seller`,
  `_count_1` AS `n`,
  `_count_2` AS `refunds`,
  `_sum_3` AS `refunded`,
  CASE WHEN `_count_2` <> 0 AND ABS(`_sum_3`) < 100000000000000000 AND ABS(`_count_2`) < 100000000000000000
    THEN CASE WHEN (`_sum_3` < 0) <> (`_count_2` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_3` AS BIGINT)) + ABS(CAST(`_count_2` AS BIGINT))) / (2 * ABS(CAST(`_count_2` AS BIGINT)))) END AS `mean`,
  `_max_4` AS `most`,
  `_distinct_5` AS `channels`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `seller`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    COUNT(`refund`) AS `_count_2`,
    SUM(CAST(`refund` AS DECIMAL(20, 0))) AS `_sum_3`,
    MAX(`refund`) AS `_max_4`,
    COUNT(DISTINCT `channel`) AS `_distinct_5`
  FROM TABLE(
    TUMBLE(TABLE `nulls-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `seller`, window_time);

INSERT INTO `nulls-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`seller`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `seller`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(`refunds` AS DECIMAL(38, 0)) AS `refunds`,
  CAST(CAST(`refunded` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `refunded`,
  CAST(CAST(`mean` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `mean`,
  CAST(CAST(`most` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `most`,
  CAST(`channels` AS DECIMAL(38, 0)) AS `channels`
FROM `nulls-step-1`;
