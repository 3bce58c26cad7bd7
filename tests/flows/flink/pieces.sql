CREATE TEMPORARY VIEW `pieces-step-1` AS
SELECT
  window_start,
  window_end,
  `_sum_1` AS `pieces`,
  CASE WHEN `_count_2` <> 0 AND ABS(`_sum_1`) < 10000000000000000 AND ABS(`_count_2`) < 100000000000000000
    THEN CASE WHEN (`_sum_1` < 0) <> (`_count_2` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_1` AS BIGINT)) * 10 + ABS(CAST(`_count_2` AS BIGINT))) / (2 * ABS(CAST(`_count_2` AS BIGINT)))) END AS `mean`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    SUM(CAST(`quantity` AS DECIMAL(20, 0))) AS `_sum_1`,
    COUNT(`quantity`) AS `_count_2`
  FROM TABLE(
    TUMBLE(TABLE `pieces-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `pieces-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`pieces` AS DECIMAL(38, 0)) AS `pieces`,
  CAST(CAST(`mean` AS DECIMAL(31, 0)) * 0.1 AS DECIMAL(38, 1)) AS `mean`
FROM `pieces-step-1`;
