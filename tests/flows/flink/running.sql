CREATE TEMPORARY VIEW `running-step-1` AS
SELECT
  `_count_1` AS `n`,
  `_sum_2` AS `revenue`,
  `_max_3` AS `newest`,
  SUBSTRING(`_max_4`, 68) AS `dearest`
FROM (
  SELECT
    COUNT(*) AS `_count_1`,
    SUM(CAST(`amount` AS DECIMAL(20, 0))) AS `_sum_2`,
    MAX(`at`) AS `_max_3`,
    MAX(CONCAT(CONCAT(LPAD(CAST(CAST(`amount` AS BIGINT) + 9007199254740992 AS STRING), 17, '0'), `_reverse`), `who`)) FILTER (WHERE `who` IS NOT NULL AND `amount` IS NOT NULL) AS `_max_4`
  FROM `running-source`);

INSERT INTO `running-sink`
SELECT
  '[]' AS `_key`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`newest`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `newest`,
  `dearest`
FROM `running-step-1`;
