CREATE TEMPORARY VIEW `heard-of-step-1` AS
SELECT
  `seller`,
  `at`,
  `_at`
FROM `heard-of-source-sales`;

CREATE TEMPORARY VIEW `heard-of-step-2` AS
SELECT
  `to`,
  `at`,
  `_at`
FROM `heard-of-source-parcels`;

CREATE TEMPORARY VIEW `heard-of-step-3` AS
SELECT
  `to` AS `seller`,
  `at`,
  `_at`
FROM `heard-of-step-2`;

CREATE TEMPORARY VIEW `heard-of-step-4` AS
SELECT
  `seller`,
  `at`,
  `_at`
FROM `heard-of-step-1`
UNION ALL
SELECT
  `seller`,
  `at`,
  `_at`
FROM `heard-of-step-3`;

CREATE TEMPORARY VIEW `heard-of-step-5` AS
SELECT
  window_start,
  window_end,
  `seller`,
  `_count_1` AS `n`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `seller`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`
  FROM TABLE(
    TUMBLE(TABLE `heard-of-step-4`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `seller`, window_time);

INSERT INTO `heard-of-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`seller`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `seller`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`
FROM `heard-of-step-5`;
