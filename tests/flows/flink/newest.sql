CREATE TEMPORARY VIEW `newest-step-1` AS
SELECT
  `who`,
  `amount`,
  `at`,
  `_at`
FROM `newest-source-orders`;

CREATE TEMPORARY VIEW `newest-step-2` AS
SELECT
  `name`,
  `city`,
  `at`,
  `_at`
FROM `newest-source-people`;

CREATE TEMPORARY VIEW `newest-step-3` AS
SELECT
  `name`,
  `city`,
  `at` AS `moved`,
  `_at`
FROM `newest-step-2`;

CREATE TEMPORARY VIEW `newest-step-1-versions-of-newest-step-3` AS
SELECT
  `name`,
  `city`,
  `moved`,
  `_at`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `name` ORDER BY `_at` DESC) AS `_rank`
  FROM `newest-step-3`)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `newest-step-4` AS
SELECT
  l.`who` AS `who`,
  l.`amount` AS `amount`,
  l.`at` AS `at`,
  r.`city` AS `city`,
  r.`moved` AS `moved`,
  l.`_at` AS `_at`
FROM `newest-step-1` AS l
LEFT JOIN `newest-step-1-versions-of-newest-step-3` FOR SYSTEM_TIME AS OF l.`_at` AS r
  ON l.`who` = r.`name`;

INSERT INTO `newest-sink`
SELECT
  `who`,
  CAST(CAST(`amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `amount`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  `city`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`moved`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `moved`
FROM `newest-step-4`;
