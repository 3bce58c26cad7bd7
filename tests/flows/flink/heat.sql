CREATE TEMPORARY VIEW `heat-step-1` AS
SELECT
  `product`,
  `at`,
  COALESCE(`_sum`, 0) * POWER(2, -(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 5120000 AS DOUBLE) / 10000)) AS `heat`,
  `_at`
FROM (
  SELECT
    *,
    SUM(`_value` * POWER(2, CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 5120000 AS DOUBLE) / 10000)) OVER (PARTITION BY `product`, `_block` ORDER BY `_at` RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS `_sum`
  FROM (
    SELECT *, CAST(`price` AS DOUBLE) / 100 AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 5120000) AS BIGINT) + 0 AS `_block`, TRUE AS `_home` FROM `heat-source`
    UNION ALL
    SELECT *, CAST(`price` AS DOUBLE) / 100 AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 5120000) AS BIGINT) + 1 AS `_block`, FALSE AS `_home` FROM `heat-source`))
WHERE `_home`;

CREATE TEMPORARY VIEW `heat-step-2` AS
SELECT
  `product`,
  `at`,
  `heat`,
  `_at`
FROM `heat-step-1`;

INSERT INTO `heat-sink`
SELECT
  `product`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  `heat`
FROM `heat-step-2`;
