CREATE TEMPORARY VIEW `extremes-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `n`,
  `_min_2` AS `least`,
  `_max_3` AS `most`,
  `_min_4` AS `earliest`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    MIN(`price`) AS `_min_2`,
    MAX(`price`) AS `_max_3`,
    MIN(`at`) AS `_min_4`
  FROM TABLE(
    TUMBLE(TABLE `extremes-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `extremes-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`least` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `least`,
  CAST(CAST(`most` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `most`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`earliest`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `earliest`
FROM `extremes-step-1`;
