CREATE TEMPORARY VIEW `latest-join-step-1` AS
SELECT
  `who`,
  `amount`,
  `at`,
  `_at`
FROM `latest-join-source-orders`;

CREATE TEMPORARY VIEW `latest-join-step-1-versions-of-latest-join-source-visits` AS
SELECT
  `visitor`,
  `page`,
  `seen`,
  `_at`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `visitor` ORDER BY `_at` DESC) AS `_rank`
  FROM `latest-join-source-visits`)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `latest-join-step-2` AS
SELECT
  l.`who` AS `who`,
  l.`amount` AS `amount`,
  l.`at` AS `at`,
  CASE WHEN r.`_at` >= l.`_at` - INTERVAL '0.001' SECOND(2, 3) THEN r.`visitor` END AS `visitor`,
  CASE WHEN r.`_at` >= l.`_at` - INTERVAL '0.001' SECOND(2, 3) THEN r.`page` END AS `page`,
  CASE WHEN r.`_at` >= l.`_at` - INTERVAL '0.001' SECOND(2, 3) THEN r.`seen` END AS `seen`,
  l.`_at` AS `_at`
FROM `latest-join-step-1` AS l
LEFT JOIN `latest-join-step-1-versions-of-latest-join-source-visits` FOR SYSTEM_TIME AS OF l.`_at` AS r
  ON l.`who` = r.`visitor`;

INSERT INTO `latest-join-sink`
SELECT
  `who`,
  CAST(CAST(`amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `amount`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  `visitor`,
  `page`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`seen`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `seen`
FROM `latest-join-step-2`;
