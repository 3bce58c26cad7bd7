CREATE TEMPORARY VIEW `ratios-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `refunds`,
  `_sum_2` AS `refunded`,
  CASE WHEN `_sum_3` <> 0 AND ABS(`_sum_2`) < 100000000000000 AND ABS(`_sum_3`) < 100000000000000000
    THEN CASE WHEN (`_sum_2` < 0) <> (`_sum_3` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_2` AS BIGINT)) * 1000 + ABS(CAST(`_sum_3` AS BIGINT))) / (2 * ABS(CAST(`_sum_3` AS BIGINT)))) END AS `share`,
  CASE WHEN `_sum_4` <> 0 AND ABS(`_sum_3`) < 100000000000000000 AND ABS(`_sum_4`) < 100000000000000000
    THEN CASE WHEN (`_sum_3` < 0) <> (`_sum_4` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_3` AS BIGINT)) + ABS(CAST(`_sum_4` AS BIGINT))) / (2 * ABS(CAST(`_sum_4` AS BIGINT)))) END AS `per_star`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(`refund`) AS `_count_1`,
    SUM(CAST(`refund` AS DECIMAL(20, 0))) AS `_sum_2`,
    SUM(CAST(`price` AS DECIMAL(20, 0))) AS `_sum_3`,
    SUM(CAST(`stars` AS DECIMAL(20, 0))) AS `_sum_4`
  FROM TABLE(
    TUMBLE(TABLE `ratios-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `ratios-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`refunds` AS DECIMAL(38, 0)) AS `refunds`,
  CAST(CAST(`refunded` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `refunded`,
  CAST(CAST(`share` AS DECIMAL(31, 0)) * 0.001 AS DECIMAL(38, 3)) AS `share`,
  CAST(CAST(`per_star` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `per_star`
FROM `ratios-step-1`;
