CREATE TEMPORARY VIEW `sold-and-sent-step-1` AS
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
    TUMBLE(TABLE `sold-and-sent-source-sales`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `seller`, window_time);

CREATE TEMPORARY VIEW `sold-and-sent-step-2` AS
SELECT
  window_start,
  window_end,
  `to`,
  `_count_1` AS `parcels`,
  `_sum_2` AS `postage`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `to`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`postage` AS DECIMAL(20, 0))) AS `_sum_2`
  FROM TABLE(
    TUMBLE(TABLE `sold-and-sent-source-parcels`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `to`, window_time);

CREATE TEMPORARY VIEW `sold-and-sent-step-3` AS
SELECT
  l.`window_start` AS `window_start`,
  l.`window_end` AS `window_end`,
  l.`seller` AS `seller`,
  l.`n` AS `n`,
  l.`revenue` AS `revenue`,
  r.`to` AS `to`,
  r.`parcels` AS `parcels`,
  r.`postage` AS `postage`,
  l.`_at` AS `_at`
FROM `sold-and-sent-step-1` AS l
LEFT JOIN `sold-and-sent-step-2` AS r
  ON l.window_start = r.window_start AND l.window_end = r.window_end AND l.`seller` = r.`to`;

INSERT INTO `sold-and-sent-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`seller`), 'null'), ',', COALESCE(JSON_STRING(`to`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `seller`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`,
  `to`,
  CAST(`parcels` AS DECIMAL(38, 0)) AS `parcels`,
  CAST(CAST(`postage` AS DECIMAL(31, 0)) * 0.001 AS DECIMAL(38, 3)) AS `postage`
FROM `sold-and-sent-step-3`;
