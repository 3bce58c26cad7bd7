CREATE TEMPORARY VIEW `spread-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `n`,
  `_variance_2` AS `spread`,
  `_quantile_3` AS `median`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(`refund`) AS `_count_1`,
    VAR_POP(CAST(`refund` AS DOUBLE) / 100) AS `_variance_2`,
    PERCENTILE(CAST(`refund` AS DOUBLE) / 100, 0.5) AS `_quantile_3`
  FROM TABLE(
    TUMBLE(TABLE `spread-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `spread-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  `spread`,
  `median`
FROM `spread-step-1`;
