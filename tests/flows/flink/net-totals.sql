CREATE TEMPORARY VIEW `net-totals-step-1` AS
SELECT
  `price`,
  `quantity`,
  `refund`,
  `at`,
  CAST(`total` AS BIGINT) AS `total`,
  `_at`
FROM (
  SELECT
    `price`,
    `quantity`,
    `refund`,
    `at`,
    (CAST(`price` AS DECIMAL(19, 0)) * CAST(`quantity` AS DECIMAL(19, 0))) AS `total`,
    `_at`
  FROM `net-totals-source`)
WHERE (`total` IS NULL OR ABS(`total`) <= 9007199254740991);

CREATE TEMPORARY VIEW `net-totals-step-2` AS
SELECT
  `price`,
  `quantity`,
  `refund`,
  `at`,
  `total`,
  CAST(`net` AS BIGINT) AS `net`,
  `_at`
FROM (
  SELECT
    `price`,
    `quantity`,
    `refund`,
    `at`,
    `total`,
    (CAST(`total` AS DECIMAL(19, 0)) - CAST(`refund` AS DECIMAL(19, 0))) AS `net`,
    `_at`
  FROM `net-totals-step-1`)
WHERE (`net` IS NULL OR ABS(`net`) <= 9007199254740991);

CREATE TEMPORARY VIEW `net-totals-step-3` AS
SELECT
  window_start,
  window_end,
  `_sum_1` AS `total`,
  `_sum_2` AS `net`,
  `_max_3` AS `biggest`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    SUM(CAST(`total` AS DECIMAL(20, 0))) AS `_sum_1`,
    SUM(CAST(`net` AS DECIMAL(20, 0))) AS `_sum_2`,
    MAX(`total`) AS `_max_3`
  FROM TABLE(
    TUMBLE(TABLE `net-totals-step-2`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `net-totals-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(CAST(`total` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `total`,
  CAST(CAST(`net` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `net`,
  CAST(CAST(`biggest` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `biggest`
FROM `net-totals-step-3`;
