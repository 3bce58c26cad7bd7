CREATE TEMPORARY VIEW `cities-null-step-1` AS
SELECT
  `seller`,
  `at`,
  CASE `seller`
    WHEN 'ana' THEN 'Rio'
    WHEN 'bea' THEN 'Lima' END AS `city`,
  CASE `seller`
    WHEN 'ana' THEN CAST(3 AS BIGINT)
    WHEN 'bea' THEN CAST(1 AS BIGINT) END AS `level`,
  `_at`
FROM `cities-null-source`;

CREATE TEMPORARY VIEW `cities-null-step-2` AS
SELECT
  window_start,
  window_end,
  `city`,
  `_count_1` AS `n`,
  `_sum_2` AS `levels`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `city`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`level` AS DECIMAL(20, 0))) AS `_sum_2`
  FROM TABLE(
    TUMBLE(TABLE `cities-null-step-1`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `city`, window_time);

INSERT INTO `cities-null-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`city`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `city`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(`levels` AS DECIMAL(38, 0)) AS `levels`
FROM `cities-null-step-2`;
