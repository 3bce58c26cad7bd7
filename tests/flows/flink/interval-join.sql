CREATE TEMPORARY VIEW `interval-join-step-1` AS
SELECT
  `who`,
  `amount`,
  `at`,
  `_at`
FROM `interval-join-source-orders`;

CREATE TEMPORARY VIEW `interval-join-step-2` AS
SELECT
  l.`who` AS `who`,
  l.`amount` AS `amount`,
  l.`at` AS `at`,
  r.`visitor` AS `visitor`,
  r.`page` AS `page`,
  r.`seen` AS `seen`,
  l.`_at` AS `_at`
FROM `interval-join-step-1` AS l
LEFT JOIN `interval-join-source-visits` AS r
  ON l.`who` = r.`visitor` AND r.`_at` BETWEEN l.`_at` - INTERVAL '0.001' SECOND(2, 3) AND l.`_at` + INTERVAL '3' SECOND;

INSERT INTO `interval-join-sink`
SELECT
  `who`,
  CAST(CAST(`amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `amount`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  `visitor`,
  `page`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`seen`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `seen`
FROM `interval-join-step-2`;
