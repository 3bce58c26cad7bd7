CREATE TEMPORARY VIEW `sliding-picks-step-1` AS
SELECT
  window_start,
  window_end,
  `product`,
  SUBSTRING(`_max_1`, 68) AS `dearest`,
  CAST(SUBSTRING(`_max_2`, 68) AS BIGINT) AS `liked`,
  SUBSTRING(`_max_3`, 51) AS `latest`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `product`,
    window_time AS `_at`,
    MAX(CONCAT(CONCAT(LPAD(CAST(CAST(`price` AS BIGINT) + 9007199254740992 AS STRING), 17, '0'), `_reverse`), `seller`)) FILTER (WHERE `seller` IS NOT NULL AND `price` IS NOT NULL) AS `_max_1`,
    MAX(CONCAT(CONCAT(LPAD(CAST(CAST(`stars` AS BIGINT) + 9007199254740992 AS STRING), 17, '0'), `_reverse`), CAST(`price` AS STRING))) FILTER (WHERE `price` IS NOT NULL AND `stars` IS NOT NULL) AS `_max_2`,
    MAX(CONCAT(`_order`, `seller`)) FILTER (WHERE `seller` IS NOT NULL) AS `_max_3`
  FROM TABLE(
    HOP(TABLE `sliding-picks-source`, DESCRIPTOR(`_at`), INTERVAL '1' SECOND, INTERVAL '3' SECOND))
  GROUP BY window_start, window_end, `product`, window_time);

INSERT INTO `sliding-picks-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`product`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `product`,
  `dearest`,
  CAST(CAST(`liked` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `liked`,
  `latest`
FROM `sliding-picks-step-1`;
