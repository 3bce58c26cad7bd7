CREATE TEMPORARY VIEW `per-day-in-bogota-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `n`
FROM (
  SELECT
    CAST(CONVERT_TZ(CONCAT(CAST(CAST(SUBSTRING(CONVERT_TZ(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss'), 'UTC', 'America/Bogota'), 1, 10) AS DATE) AS STRING), ' 00:00:00'), 'America/Bogota', 'UTC') AS TIMESTAMP(3)) AS window_start,
    CAST(CONVERT_TZ(CONCAT(CAST(TIMESTAMPADD(DAY, 1, CAST(SUBSTRING(CONVERT_TZ(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss'), 'UTC', 'America/Bogota'), 1, 10) AS DATE)) AS STRING), ' 00:00:00'), 'America/Bogota', 'UTC') AS TIMESTAMP(3)) AS window_end,
    COUNT(*) AS `_count_1`
  FROM `per-day-in-bogota-source`
  GROUP BY CAST(SUBSTRING(CONVERT_TZ(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss'), 'UTC', 'America/Bogota'), 1, 10) AS DATE));

INSERT INTO `per-day-in-bogota-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`
FROM `per-day-in-bogota-step-1`;
