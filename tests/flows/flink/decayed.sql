CREATE TEMPORARY VIEW `decayed-step-1` AS
SELECT
  `who`,
  `amount`,
  `at`,
  `_at`
FROM `decayed-source`;

CREATE TEMPORARY VIEW `decayed-step-2` AS
SELECT
  `who`,
  `amount`,
  `at`,
  COALESCE(`_sum`, 0) * POWER(2, -(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 30720000 AS DOUBLE) / 60000)) AS `heat`,
  `_at`
FROM (
  SELECT
    *,
    SUM(`_value` * POWER(2, CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 30720000 AS DOUBLE) / 60000)) OVER (PARTITION BY `who`, `_block` ORDER BY `_at` RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS `_sum`
  FROM (
    SELECT *, CAST(`amount` AS DOUBLE) / 100 AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 30720000) AS BIGINT) + 0 AS `_block`, TRUE AS `_home` FROM `decayed-step-1`
    UNION ALL
    SELECT *, CAST(`amount` AS DOUBLE) / 100 AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 30720000) AS BIGINT) + 1 AS `_block`, FALSE AS `_home` FROM `decayed-step-1`))
WHERE `_home`;

INSERT INTO `decayed-sink`
SELECT
  `who`,
  CAST(CAST(`amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `amount`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  `heat`
FROM `decayed-step-2`;
