CREATE TEMPORARY VIEW `hours-of-minutes-step-1` AS
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
    TUMBLE(TABLE `hours-of-minutes-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `seller`, window_time);

CREATE TEMPORARY VIEW `hours-of-minutes-step-2` AS
SELECT
  window_start,
  window_end,
  `seller`,
  `_count_1` AS `minutes`,
  `_max_2` AS `best`,
  `_sum_3` AS `revenue`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `seller`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    MAX(`revenue`) AS `_max_2`,
    SUM(CAST(`revenue` AS DECIMAL(20, 0))) AS `_sum_3`
  FROM TABLE(
    TUMBLE(TABLE `hours-of-minutes-step-1`, DESCRIPTOR(`_at`), INTERVAL '1' HOUR))
  GROUP BY window_start, window_end, `seller`, window_time);

INSERT INTO `hours-of-minutes-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`seller`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `seller`,
  CAST(`minutes` AS DECIMAL(38, 0)) AS `minutes`,
  CAST(CAST(`best` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `best`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`
FROM `hours-of-minutes-step-2`;
