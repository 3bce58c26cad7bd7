CREATE TEMPORARY VIEW `window-join-step-1` AS
SELECT
  window_start,
  window_end,
  `who`,
  `_count_1` AS `n`,
  `_sum_2` AS `revenue`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `who`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`amount` AS DECIMAL(20, 0))) AS `_sum_2`
  FROM TABLE(
    TUMBLE(TABLE `window-join-source-orders`, DESCRIPTOR(`_at`), INTERVAL '0.500' SECOND(2, 3)))
  GROUP BY window_start, window_end, `who`, window_time);

CREATE TEMPORARY VIEW `window-join-step-2` AS
SELECT
  window_start,
  window_end,
  `visitor`,
  `_count_1` AS `views`,
  `_max_2` AS `newest`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `visitor`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    MAX(`seen`) AS `_max_2`
  FROM TABLE(
    TUMBLE(TABLE `window-join-source-visits`, DESCRIPTOR(`_at`), INTERVAL '0.500' SECOND(2, 3)))
  GROUP BY window_start, window_end, `visitor`, window_time);

CREATE TEMPORARY VIEW `window-join-step-3` AS
SELECT
  l.`window_start` AS `window_start`,
  l.`window_end` AS `window_end`,
  l.`who` AS `who`,
  l.`n` AS `n`,
  l.`revenue` AS `revenue`,
  r.`visitor` AS `visitor`,
  r.`views` AS `views`,
  r.`newest` AS `newest`,
  l.`_at` AS `_at`
FROM `window-join-step-1` AS l
LEFT JOIN `window-join-step-2` AS r
  ON l.window_start = r.window_start AND l.window_end = r.window_end AND l.`who` = r.`visitor`;

INSERT INTO `window-join-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`who`), 'null'), ',', COALESCE(JSON_STRING(`visitor`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `who`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`,
  `visitor`,
  CAST(`views` AS DECIMAL(38, 0)) AS `views`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`newest`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `newest`
FROM `window-join-step-3`;
