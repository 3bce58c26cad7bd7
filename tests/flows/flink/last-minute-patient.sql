CREATE TEMPORARY VIEW `last-minute-patient-step-1` AS
SELECT
  `seller`,
  `at`,
  `_count_1` AS `n`,
  `_distinct_2` AS `products`,
  `_at`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`,
    COUNT(DISTINCT `product`) OVER `_recent` AS `_distinct_2`
  FROM `last-minute-patient-source`
  WINDOW `_recent` AS (PARTITION BY `seller` ORDER BY `_at` RANGE BETWEEN INTERVAL '59.999' SECOND(2, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `last-minute-patient-step-2` AS
SELECT
  `seller`,
  `at`,
  `n`,
  `products`,
  `_at`
FROM `last-minute-patient-step-1`;

INSERT INTO `last-minute-patient-sink`
SELECT
  `seller`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(`products` AS DECIMAL(38, 0)) AS `products`
FROM `last-minute-patient-step-2`;
