CREATE TEMPORARY VIEW `last-minute-step-1` AS
SELECT
  `seller`,
  `at`,
  `_count_1` AS `n`,
  `_sum_2` AS `revenue`,
  `_max_3` AS `most`,
  `_at`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`,
    SUM(CAST(`price` AS DECIMAL(20, 0))) OVER `_recent` AS `_sum_2`,
    MAX(`price`) OVER `_recent` AS `_max_3`
  FROM `last-minute-source`
  WINDOW `_recent` AS (PARTITION BY `seller` ORDER BY `_at` RANGE BETWEEN INTERVAL '59.999' SECOND(2, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `last-minute-step-2` AS
SELECT
  `seller`,
  `at`,
  `n`,
  `revenue`,
  `most`,
  `_at`
FROM `last-minute-step-1`;

INSERT INTO `last-minute-sink`
SELECT
  `seller`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`,
  CAST(CAST(`most` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `most`
FROM `last-minute-step-2`;
