CREATE TEMPORARY VIEW `unnest-step-1` AS
SELECT
  `who`,
  `items`,
  `at`,
  `_at`
FROM `unnest-source`;

CREATE TEMPORARY VIEW `unnest-step-2` AS
SELECT
  r.`who` AS `who`,
  r.`at` AS `at`,
  e.`sku` AS `sku`,
  CAST(e.`pieces` AS BIGINT) AS `pieces`,
  r.`_at`
FROM `unnest-step-1` AS r
CROSS JOIN UNNEST(r.`items`) AS e (`sku`, `pieces`)
WHERE e.`sku` IS NOT NULL
  AND (e.`pieces` IS NULL OR e.`pieces` = FLOOR(e.`pieces`) AND ABS(e.`pieces`) <= 9007199254740991);

CREATE TEMPORARY VIEW `unnest-step-3` AS
SELECT *
FROM `unnest-step-2`
WHERE ((`pieces` > CAST(0 AS BIGINT)) OR (`who` IS NULL));

INSERT INTO `unnest-sink`
SELECT
  `who`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  `sku`,
  CAST(`pieces` AS DECIMAL(38, 0)) AS `pieces`
FROM `unnest-step-3`;
