CREATE TEMPORARY VIEW `sent-last-step-1` AS
SELECT
  `seller`,
  `price`,
  `at`,
  `_at`
FROM `sent-last-source-sales`;

CREATE TEMPORARY VIEW `sent-last-step-2` AS
SELECT
  `to`,
  `postage`,
  `at`,
  `_at`
FROM `sent-last-source-parcels`;

CREATE TEMPORARY VIEW `sent-last-step-3` AS
SELECT
  `to` AS `city`,
  `postage`,
  `at` AS `sent`,
  `_at`
FROM `sent-last-step-2`;

CREATE TEMPORARY VIEW `sent-last-step-1-versions-of-sent-last-step-3` AS
SELECT
  `city`,
  `postage`,
  `sent`,
  `_at`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `city` ORDER BY `_at` DESC) AS `_rank`
  FROM `sent-last-step-3`)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `sent-last-step-4` AS
SELECT
  l.`seller` AS `seller`,
  l.`price` AS `price`,
  l.`at` AS `at`,
  r.`city` AS `city`,
  r.`postage` AS `postage`,
  r.`sent` AS `sent`,
  l.`_at` AS `_at`
FROM `sent-last-step-1` AS l
JOIN `sent-last-step-1-versions-of-sent-last-step-3` FOR SYSTEM_TIME AS OF l.`_at` AS r
  ON l.`seller` = r.`city`
WHERE r.`_at` >= l.`_at` - INTERVAL '5' MINUTE;

INSERT INTO `sent-last-sink`
SELECT
  `seller`,
  CAST(CAST(`price` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `price`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  `city`,
  CAST(CAST(`postage` AS DECIMAL(31, 0)) * 0.001 AS DECIMAL(38, 3)) AS `postage`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`sent`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `sent`
FROM `sent-last-step-4`;
