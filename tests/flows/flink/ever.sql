CREATE TEMPORARY VIEW `ever-step-1` AS
SELECT
  `seller`,
  `_count_1` AS `n`,
  `_sum_2` AS `revenue`,
  `_distinct_3` AS `products`,
  SUBSTRING(`_max_4`, 51) AS `newest`
FROM (
  SELECT
    `seller`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`price` AS DECIMAL(20, 0))) AS `_sum_2`,
    COUNT(DISTINCT `product`) AS `_distinct_3`,
    MAX(CONCAT(`_order`, `product`)) FILTER (WHERE `product` IS NOT NULL) AS `_max_4`
  FROM `ever-source`
  GROUP BY `seller`);

INSERT INTO `ever-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(`seller`), 'null'), ']') AS `_key`,
  `seller`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`,
  CAST(`products` AS DECIMAL(38, 0)) AS `products`,
  `newest`
FROM `ever-step-1`;
