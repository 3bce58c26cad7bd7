CREATE TEMPORARY VIEW `range-step-1` AS
SELECT
  `who`,
  `amount`,
  `at`,
  `_at`,
  `_order`,
  `_reverse`
FROM `range-source`;

CREATE TEMPORARY VIEW `range-step-2` AS
SELECT
  `who`,
  `amount`,
  `at`,
  `_count_1` AS `n`,
  `_count_2` AS `known`,
  `_sum_3` AS `revenue`,
  `_count_4` AS `dear`,
  `_distinct_5` AS `people`,
  `_max_6` AS `most`,
  CAST(SUBSTRING(`_min_7`, 51) AS BIGINT) AS `oldest`,
  CAST(SUBSTRING(`_max_8`, 51) AS BIGINT) AS `newest`,
  `_at`,
  `_order`,
  `_reverse`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`,
    COUNT(`amount`) OVER `_recent` AS `_count_2`,
    SUM(CAST(`amount` AS DECIMAL(20, 0))) OVER `_recent` AS `_sum_3`,
    COUNT(CASE WHEN (`amount` > CAST(5000 AS BIGINT)) THEN 1 END) OVER `_recent` AS `_count_4`,
    COUNT(DISTINCT `who`) OVER `_recent` AS `_distinct_5`,
    MAX(`amount`) OVER `_recent` AS `_max_6`,
    MIN(CASE WHEN `amount` IS NOT NULL THEN CONCAT(`_order`, CAST(`amount` AS STRING)) END) OVER `_recent` AS `_min_7`,
    MAX(CASE WHEN `amount` IS NOT NULL THEN CONCAT(`_order`, CAST(`amount` AS STRING)) END) OVER `_recent` AS `_max_8`
  FROM `range-step-1`
  WINDOW `_recent` AS (ORDER BY `_at` RANGE BETWEEN INTERVAL '3.999' SECOND(2, 3) PRECEDING AND CURRENT ROW));

INSERT INTO `range-sink`
SELECT
  `who`,
  CAST(CAST(`amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `amount`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(`known` AS DECIMAL(38, 0)) AS `known`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`,
  CAST(`dear` AS DECIMAL(38, 0)) AS `dear`,
  CAST(`people` AS DECIMAL(38, 0)) AS `people`,
  CAST(CAST(`most` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `most`,
  CAST(CAST(`oldest` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `oldest`,
  CAST(CAST(`newest` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `newest`
FROM `range-step-2`;
