CREATE TEMPORARY VIEW `postage-step-1` AS
SELECT
  window_start,
  window_end,
  `to`,
  `_sum_1` AS `postage`,
  CASE WHEN `_count_2` <> 0 AND ABS(`_sum_1`) < 100000000000000000 AND ABS(`_count_2`) < 10000000000000000
    THEN CASE WHEN (`_sum_1` < 0) <> (`_count_2` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_1` AS BIGINT)) + ABS(CAST(`_count_2` AS BIGINT)) * 10) / (2 * ABS(CAST(`_count_2` AS BIGINT)) * 10)) END AS `mean`,
  `_max_3` AS `heaviest`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `to`,
    window_time AS `_at`,
    SUM(CAST(`postage` AS DECIMAL(20, 0))) AS `_sum_1`,
    COUNT(`postage`) AS `_count_2`,
    MAX(`kilograms`) AS `_max_3`
  FROM TABLE(
    TUMBLE(TABLE `postage-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `to`, window_time);

INSERT INTO `postage-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`to`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `to`,
  CAST(CAST(`postage` AS DECIMAL(31, 0)) * 0.001 AS DECIMAL(38, 3)) AS `postage`,
  CAST(CAST(`mean` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `mean`,
  CAST(CAST(`heaviest` AS DECIMAL(31, 0)) * 0.001 AS DECIMAL(38, 3)) AS `heaviest`
FROM `postage-step-1`;
