CREATE TEMPORARY VIEW `computed-step-1` AS
SELECT
  `price`,
  `quantity`,
  `at`,
  (CASE WHEN CAST(2 AS BIGINT) <> 0 THEN MOD(`quantity`, CAST(2 AS BIGINT)) END) AS `parity`,
  (CASE WHEN (`price` >= CAST(1000 AS BIGINT)) THEN CAST(2 AS BIGINT) ELSE CAST(1 AS BIGINT) END) AS `size`,
  `_at`
FROM `computed-source`;

CREATE TEMPORARY VIEW `computed-step-2` AS
SELECT
  window_start,
  window_end,
  `parity`,
  `size`,
  `_count_1` AS `n`,
  `_sum_2` AS `revenue`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `parity`,
    `size`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`price` AS DECIMAL(20, 0))) AS `_sum_2`
  FROM TABLE(
    TUMBLE(TABLE `computed-step-1`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `parity`, `size`, window_time);

INSERT INTO `computed-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(CAST(`parity` AS DECIMAL(38, 0))), 'null'), ',', COALESCE(JSON_STRING(CAST(`size` AS DECIMAL(38, 0))), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`parity` AS DECIMAL(38, 0)) AS `parity`,
  CAST(`size` AS DECIMAL(38, 0)) AS `size`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`
FROM `computed-step-2`;
