CREATE TEMPORARY VIEW `with-conditions-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `n`,
  `_count_2` AS `web`,
  `_sum_3` AS `web_revenue`,
  `_distinct_4` AS `web_sellers`,
  CASE WHEN `_count_5` <> 0 AND ABS(`_sum_3`) < 100000000000000000 AND ABS(`_count_5`) < 100000000000000000
    THEN CASE WHEN (`_sum_3` < 0) <> (`_count_5` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_3` AS BIGINT)) + ABS(CAST(`_count_5` AS BIGINT))) / (2 * ABS(CAST(`_count_5` AS BIGINT)))) END AS `web_mean`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    COUNT(*) FILTER (WHERE (`channel` = 'web')) AS `_count_2`,
    SUM(CAST(`price` AS DECIMAL(20, 0))) FILTER (WHERE (`channel` = 'web')) AS `_sum_3`,
    COUNT(DISTINCT `seller`) FILTER (WHERE (`channel` = 'web')) AS `_distinct_4`,
    COUNT(`price`) FILTER (WHERE (`channel` = 'web')) AS `_count_5`
  FROM TABLE(
    TUMBLE(TABLE `with-conditions-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `with-conditions-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(`web` AS DECIMAL(38, 0)) AS `web`,
  CAST(CAST(`web_revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `web_revenue`,
  CAST(`web_sellers` AS DECIMAL(38, 0)) AS `web_sellers`,
  CAST(CAST(`web_mean` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `web_mean`
FROM `with-conditions-step-1`;
