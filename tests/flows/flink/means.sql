CREATE TEMPORARY VIEW `means-step-1` AS
SELECT
  window_start,
  window_end,
  CASE WHEN `_count_2` <> 0 AND ABS(`_sum_1`) < 100000000000000000 AND ABS(`_count_2`) < 100000000000000000
    THEN CASE WHEN (`_sum_1` < 0) <> (`_count_2` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_1` AS BIGINT)) + ABS(CAST(`_count_2` AS BIGINT))) / (2 * ABS(CAST(`_count_2` AS BIGINT)))) END AS `mean`,
  CASE WHEN `_count_2` <> 0 AND ABS(`_sum_1`) < 100000000000000000 AND ABS(`_count_2`) < 10000000000000000
    THEN CASE WHEN (`_sum_1` < 0) <> (`_count_2` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_1` AS BIGINT)) + ABS(CAST(`_count_2` AS BIGINT)) * 10) / (2 * ABS(CAST(`_count_2` AS BIGINT)) * 10)) END AS `tenths`,
  CASE WHEN `_count_2` <> 0 AND ABS(`_sum_1`) < 100000000000000000 AND ABS(`_count_2`) < 1000000000000000
    THEN CASE WHEN (`_sum_1` < 0) <> (`_count_2` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_1` AS BIGINT)) + ABS(CAST(`_count_2` AS BIGINT)) * 100) / (2 * ABS(CAST(`_count_2` AS BIGINT)) * 100)) END AS `whole`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    SUM(CAST(`price` AS DECIMAL(20, 0))) AS `_sum_1`,
    COUNT(`price`) AS `_count_2`
  FROM TABLE(
    TUMBLE(TABLE `means-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `means-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(CAST(`mean` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `mean`,
  CAST(CAST(`tenths` AS DECIMAL(31, 0)) * 0.1 AS DECIMAL(38, 1)) AS `tenths`,
  CAST(`whole` AS DECIMAL(38, 0)) AS `whole`
FROM `means-step-1`;
