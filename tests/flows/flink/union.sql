CREATE TEMPORARY VIEW `union-step-1` AS
SELECT
  `who`,
  `at`,
  `_at`
FROM `union-source-orders`;

CREATE TEMPORARY VIEW `union-step-2` AS
SELECT
  `visitor` AS `who`,
  `page`,
  `seen` AS `at`,
  `_at`
FROM `union-source-visits`;

CREATE TEMPORARY VIEW `union-step-3` AS
SELECT
  `who`,
  `at`,
  `_at`
FROM `union-step-2`;

CREATE TEMPORARY VIEW `union-step-4` AS
SELECT
  `who`,
  `at`,
  `_at`
FROM `union-step-1`
UNION ALL
SELECT
  `who`,
  `at`,
  `_at`
FROM `union-step-3`;

CREATE TEMPORARY VIEW `union-step-5` AS
SELECT
  window_start,
  window_end,
  `who`,
  `_count_1` AS `n`,
  `_max_2` AS `newest`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `who`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    MAX(`at`) AS `_max_2`
  FROM TABLE(
    TUMBLE(TABLE `union-step-4`, DESCRIPTOR(`_at`), INTERVAL '0.010' SECOND(2, 3)))
  GROUP BY window_start, window_end, `who`, window_time);

INSERT INTO `union-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`who`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `who`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`newest`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `newest`
FROM `union-step-5`;
