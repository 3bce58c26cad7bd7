CREATE TEMPORARY VIEW `visits-running-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `n`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`
  FROM TABLE(
    SESSION(TABLE `visits-running-source`, DESCRIPTOR(`_at`), INTERVAL '30' SECOND))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `visits-running-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`
FROM `visits-running-step-1`;
