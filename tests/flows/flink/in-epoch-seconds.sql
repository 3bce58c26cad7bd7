CREATE TEMPORARY VIEW `in-epoch-seconds-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `n`,
  `_min_2` AS `first`,
  `_max_3` AS `last`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    MIN(`at`) AS `_min_2`,
    MAX(`at`) AS `_max_3`
  FROM TABLE(
    TUMBLE(TABLE `in-epoch-seconds-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `in-epoch-seconds-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(UNIX_TIMESTAMP(DATE_FORMAT(`window_start`, 'yyyy-MM-dd HH:mm:ss'))), 'null'), ',', COALESCE(JSON_STRING(UNIX_TIMESTAMP(DATE_FORMAT(`window_end`, 'yyyy-MM-dd HH:mm:ss'))), 'null'), ']') AS `_key`,
  UNIX_TIMESTAMP(DATE_FORMAT(`window_start`, 'yyyy-MM-dd HH:mm:ss')) AS `window_start`,
  UNIX_TIMESTAMP(DATE_FORMAT(`window_end`, 'yyyy-MM-dd HH:mm:ss')) AS `window_end`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(FLOOR(CAST(`first` AS DECIMAL(19, 0)) / 1000) AS BIGINT) AS `first`,
  CAST(FLOOR(CAST(`last` AS DECIMAL(19, 0)) / 1000) AS BIGINT) AS `last`,
  TRUE AS `is_final`
FROM `in-epoch-seconds-step-1`;
