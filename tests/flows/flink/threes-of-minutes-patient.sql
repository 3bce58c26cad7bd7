CREATE TEMPORARY VIEW `threes-of-minutes-patient-step-1` AS
SELECT
  window_start,
  window_end,
  `seller`,
  `_count_1` AS `n`,
  `_sum_2` AS `revenue`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `seller`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`price` AS DECIMAL(20, 0))) AS `_sum_2`
  FROM TABLE(
    TUMBLE(TABLE `threes-of-minutes-patient-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `seller`, window_time);

CREATE TEMPORARY VIEW `threes-of-minutes-patient-step-2` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `rows`,
  `_distinct_2` AS `sellers`,
  SUBSTRING(`_max_3`, 68) AS `best`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    COUNT(DISTINCT `seller`) AS `_distinct_2`,
    MAX(CONCAT(CONCAT(LPAD(CAST(CAST(`revenue` AS BIGINT) + 9007199254740992 AS STRING), 17, '0'), CONCAT(LPAD(CAST(999999999999999999 - ((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) + 62167219200000) AS STRING), 20, '0'), REPEAT('0', 30))), `seller`)) FILTER (WHERE `seller` IS NOT NULL AND `revenue` IS NOT NULL) AS `_max_3`
  FROM TABLE(
    TUMBLE(TABLE `threes-of-minutes-patient-step-1`, DESCRIPTOR(`_at`), INTERVAL '3' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `threes-of-minutes-patient-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`rows` AS DECIMAL(38, 0)) AS `rows`,
  CAST(`sellers` AS DECIMAL(38, 0)) AS `sellers`,
  `best`
FROM `threes-of-minutes-patient-step-2`;
