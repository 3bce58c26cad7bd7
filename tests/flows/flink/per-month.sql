CREATE TEMPORARY VIEW `per-month-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `n`,
  `_sum_2` AS `postage`
FROM (
  SELECT
    CAST(CONCAT(CAST(CAST(CONCAT(SUBSTRING(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss'), 1, 7), '-01') AS DATE) AS STRING), ' 00:00:00') AS TIMESTAMP(3)) AS window_start,
    CAST(CONCAT(CAST(TIMESTAMPADD(MONTH, 1, CAST(CONCAT(SUBSTRING(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss'), 1, 7), '-01') AS DATE)) AS STRING), ' 00:00:00') AS TIMESTAMP(3)) AS window_end,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`postage` AS DECIMAL(20, 0))) AS `_sum_2`
  FROM `per-month-source`
  GROUP BY CAST(CONCAT(SUBSTRING(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss'), 1, 7), '-01') AS DATE));

INSERT INTO `per-month-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`postage` AS DECIMAL(31, 0)) * 0.001 AS DECIMAL(38, 3)) AS `postage`
FROM `per-month-step-1`;
