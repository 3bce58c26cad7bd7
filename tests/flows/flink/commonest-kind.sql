CREATE TEMPORARY VIEW `commonest-kind-step-1` AS
SELECT
  `price`,
  `at`,
  (CASE WHEN (`price` >= CAST(1000 AS BIGINT)) THEN 'dear' WHEN (`price` IS NULL) THEN 'free' ELSE 'cheap' END) AS `kind`,
  `_at`
FROM `commonest-kind-source`;

CREATE TEMPORARY VIEW `commonest-kind-step-2` AS
SELECT
  `kind`,
  `_count_1` AS `n`,
  `_sum_2` AS `revenue`
FROM (
  SELECT
    `kind`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`price` AS DECIMAL(20, 0))) AS `_sum_2`
  FROM `commonest-kind-step-1`
  GROUP BY `kind`);

CREATE TEMPORARY VIEW `commonest-kind-step-3` AS
SELECT
  `kind`,
  `n`,
  `revenue`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (ORDER BY `n` DESC NULLS LAST, `kind` ASC NULLS FIRST) AS `_rank`
  FROM `commonest-kind-step-2`)
WHERE `_rank` <= 1;

INSERT INTO `commonest-kind-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(`kind`), 'null'), ']') AS `_key`,
  `kind`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`
FROM `commonest-kind-step-3`;
