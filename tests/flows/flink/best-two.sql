CREATE TEMPORARY VIEW `best-two-step-1` AS
SELECT
  window_start,
  window_end,
  `seller`,
  `product`,
  `_count_1` AS `n`,
  `_sum_2` AS `revenue`,
  `_max_3` AS `stars`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `seller`,
    `product`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`price` AS DECIMAL(20, 0))) AS `_sum_2`,
    MAX(`stars`) AS `_max_3`
  FROM TABLE(
    TUMBLE(TABLE `best-two-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `seller`, `product`, window_time);

CREATE TEMPORARY VIEW `best-two-step-2` AS
SELECT
  `window_start`,
  `window_end`,
  `seller`,
  `product`,
  `n`,
  `revenue`,
  `stars`,
  `_at`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY `revenue` DESC NULLS LAST, `seller` ASC NULLS FIRST, `product` ASC NULLS FIRST) AS `_rank`
  FROM `best-two-step-1`)
WHERE `_rank` <= 2;

INSERT INTO `best-two-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`seller`), 'null'), ',', COALESCE(JSON_STRING(`product`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `seller`,
  `product`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`,
  CAST(`stars` AS DECIMAL(38, 0)) AS `stars`
FROM `best-two-step-2`;
