CREATE TEMPORARY VIEW `all-totals-step-1` AS
SELECT
  `seller`,
  `price`,
  `quantity`,
  `at`,
  CAST(`total` AS BIGINT) AS `total`,
  `_at`
FROM (
  SELECT
    `seller`,
    `price`,
    `quantity`,
    `at`,
    (CAST(`price` AS DECIMAL(19, 0)) * CAST(`quantity` AS DECIMAL(19, 0))) AS `total`,
    `_at`
  FROM `all-totals-source`)
WHERE (`total` IS NULL OR ABS(`total`) <= 9007199254740991);

CREATE TEMPORARY VIEW `all-totals-step-2` AS
SELECT
  `seller`,
  `total`,
  `_at`
FROM `all-totals-step-1`;

INSERT INTO `all-totals-sink`
SELECT
  `seller`,
  CAST(CAST(`total` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `total`
FROM `all-totals-step-2`;
