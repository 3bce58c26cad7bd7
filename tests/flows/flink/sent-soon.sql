CREATE TEMPORARY VIEW `sent-soon-step-1` AS
SELECT
  `seller`,
  `product`,
  `at`,
  `_at`
FROM `sent-soon-source-sales`;

CREATE TEMPORARY VIEW `sent-soon-step-2` AS
SELECT
  `to`,
  `postage`,
  `at`,
  `_at`
FROM `sent-soon-source-parcels`;

CREATE TEMPORARY VIEW `sent-soon-step-3` AS
SELECT
  `to` AS `city`,
  `postage`,
  `at` AS `sent`,
  `_at`
FROM `sent-soon-step-2`;

CREATE TEMPORARY VIEW `sent-soon-step-4` AS
SELECT
  l.`seller` AS `seller`,
  l.`product` AS `product`,
  l.`at` AS `at`,
  r.`city` AS `city`,
  r.`postage` AS `postage`,
  r.`sent` AS `sent`,
  l.`_at` AS `_at`
FROM `sent-soon-step-1` AS l
LEFT JOIN `sent-soon-step-3` AS r
  ON l.`seller` = r.`city` AND r.`_at` BETWEEN l.`_at` - INTERVAL '0' DAY AND l.`_at` + INTERVAL '1' MINUTE;

INSERT INTO `sent-soon-sink`
SELECT
  `seller`,
  `product`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  `city`,
  CAST(CAST(`postage` AS DECIMAL(31, 0)) * 0.001 AS DECIMAL(38, 3)) AS `postage`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`sent`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `sent`
FROM `sent-soon-step-4`;
