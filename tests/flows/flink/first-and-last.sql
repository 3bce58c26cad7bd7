CREATE TEMPORARY VIEW `first-and-last-step-1` AS
SELECT
  window_start,
  window_end,
  SUBSTRING(`_min_1`, 51) AS `opener`,
  CAST(SUBSTRING(`_min_2`, 51) AS BIGINT) AS `opened`,
  SUBSTRING(`_max_3`, 51) AS `closer`,
  CAST(SUBSTRING(`_max_4`, 51) AS BIGINT) AS `closed`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    MIN(CONCAT(`_order`, `seller`)) FILTER (WHERE `seller` IS NOT NULL) AS `_min_1`,
    MIN(CONCAT(`_order`, CAST(`price` AS STRING))) FILTER (WHERE `price` IS NOT NULL AND (`channel` = 'web')) AS `_min_2`,
    MAX(CONCAT(`_order`, `seller`)) FILTER (WHERE `seller` IS NOT NULL) AS `_max_3`,
    MAX(CONCAT(`_order`, CAST(`refund` AS STRING))) FILTER (WHERE `refund` IS NOT NULL) AS `_max_4`
  FROM TABLE(
    TUMBLE(TABLE `first-and-last-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `first-and-last-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `opener`,
  CAST(CAST(`opened` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `opened`,
  `closer`,
  CAST(CAST(`closed` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `closed`
FROM `first-and-last-step-1`;
