CREATE TEMPORARY VIEW `first-of-each-step-1` AS
SELECT
  `seller`,
  `product`,
  `price`,
  `at`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `seller`, `product` ORDER BY `_seen` ASC) AS `_rank`
  FROM `first-of-each-source`
  WHERE `seller` IS NOT NULL AND `product` IS NOT NULL)
WHERE `_rank` = 1
UNION ALL
SELECT
  `seller`,
  `product`,
  `price`,
  `at`,
  `_at`,
  `_seen`
FROM `first-of-each-source`
WHERE NOT (`seller` IS NOT NULL AND `product` IS NOT NULL);

CREATE TEMPORARY VIEW `first-of-each-step-2` AS
SELECT
  `seller`,
  `product`,
  `price`,
  `_at`,
  `_seen`
FROM `first-of-each-step-1`;

INSERT INTO `first-of-each-sink`
SELECT
  `seller`,
  `product`,
  CAST(CAST(`price` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `price`
FROM `first-of-each-step-2`;
