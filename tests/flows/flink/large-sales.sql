CREATE TEMPORARY VIEW `large-sales-step-1` AS
SELECT *
FROM `large-sales-source`
WHERE (`price` >= CAST(1000 AS BIGINT));

CREATE TEMPORARY VIEW `large-sales-step-2` AS
SELECT
  `seller`,
  `price`,
  `at`,
  `_at`
FROM `large-sales-step-1`;

INSERT INTO `large-sales-sink`
SELECT
  `seller`,
  CAST(CAST(`price` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `price`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`
FROM `large-sales-step-2`;
