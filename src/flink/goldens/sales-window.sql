SET 'pipeline.name' = 'millrace sales-window';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';

CREATE TEMPORARY TABLE `sales` (
  `id_sale` STRING,
  `id_product` STRING,
  `asin` STRING,
  `nm_product` STRING,
  `nm_category` STRING,
  `nm_brand` STRING,
  `seller` STRING,
  `price` DECIMAL(22, 6),
  `quantity` DECIMAL(20, 4),
  `tp_payment` STRING,
  `sale_date` STRING,
  `_arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `_at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`sale_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`sale_date`, 1, 10), ' ', SUBSTRING(`sale_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`sale_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `_arrival` + INTERVAL '10' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`sale_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`sale_date`, 1, 10), ' ', SUBSTRING(`sale_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`sale_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `_at` AS `_at` - INTERVAL '65' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'sales',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-sales-window',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `sales-window-source` AS
SELECT
  COALESCE(`id_product`, `asin`) AS `id_product`,
  COALESCE(`nm_category`, 'General Category') AS `nm_category`,
  `seller`,
  CAST(`price` * 100 AS BIGINT) AS `price`,
  COALESCE(CAST(`quantity` AS BIGINT), CAST(1 AS BIGINT)) AS `quantity`,
  CASE WHEN REGEXP(`sale_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`sale_date`, 1, 10), ' ', SUBSTRING(`sale_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`sale_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`sale_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `sale_date`,
  `_at`
FROM `sales`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `id_sale` IS NOT NULL
  AND COALESCE(`id_product`, `asin`) IS NOT NULL
  AND `seller` IS NOT NULL
  AND `price` IS NOT NULL
  AND `price` = ROUND(`price`, 2) AND ABS(`price`) <= 90071992547409.91
  AND (`quantity` IS NULL OR `quantity` = FLOOR(`quantity`) AND ABS(`quantity`) <= 9007199254740991);

CREATE TEMPORARY VIEW `sales-window-step-1` AS
SELECT
  `id_product`,
  `nm_category`,
  `seller`,
  `price`,
  `quantity`,
  `sale_date`,
  CAST(`value` AS BIGINT) AS `value`,
  `_at`
FROM (
  SELECT
    `id_product`,
    `nm_category`,
    `seller`,
    `price`,
    `quantity`,
    `sale_date`,
    (CAST(`price` AS DECIMAL(19, 0)) * CAST(`quantity` AS DECIMAL(19, 0))) AS `value`,
    `_at`
  FROM `sales-window-source`)
WHERE (`value` IS NULL OR ABS(`value`) <= 9007199254740991);

CREATE TEMPORARY VIEW `sales-window-step-2` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `sales`,
  `_sum_2` AS `revenue`,
  CASE WHEN `_count_3` <> 0 AND ABS(`_sum_2`) < 100000000000000000 AND ABS(`_count_3`) < 100000000000000000
    THEN CASE WHEN (`_sum_2` < 0) <> (`_count_3` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_2` AS BIGINT)) + ABS(CAST(`_count_3` AS BIGINT))) / (2 * ABS(CAST(`_count_3` AS BIGINT)))) END AS `avg_ticket`,
  `_distinct_4` AS `active_sellers`,
  `_distinct_5` AS `active_categories`,
  `_distinct_6` AS `active_products`,
  `_max_7` AS `biggest_sale`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`value` AS DECIMAL(20, 0))) AS `_sum_2`,
    COUNT(`value`) AS `_count_3`,
    COUNT(DISTINCT `seller`) AS `_distinct_4`,
    COUNT(DISTINCT `nm_category`) AS `_distinct_5`,
    COUNT(DISTINCT `id_product`) AS `_distinct_6`,
    MAX(`value`) AS `_max_7`
  FROM TABLE(
    HOP(TABLE `sales-window-step-1`, DESCRIPTOR(`_at`), INTERVAL '1' SECOND, INTERVAL '15' MINUTE))
  GROUP BY window_start, window_end, window_time);

CREATE TEMPORARY TABLE `sales-window-sink` (
  `_key` STRING NOT NULL,
  `window_start` STRING,
  `window_end` STRING,
  `sales` DECIMAL(38, 0),
  `revenue` DECIMAL(38, 2),
  `avg_ticket` DECIMAL(38, 2),
  `active_sellers` DECIMAL(38, 0),
  `active_categories` DECIMAL(38, 0),
  `active_products` DECIMAL(38, 0),
  `biggest_sale` DECIMAL(38, 2),
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'sales-window',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-sales-window',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `sales-window-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`sales` AS DECIMAL(38, 0)) AS `sales`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`,
  CAST(CAST(`avg_ticket` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `avg_ticket`,
  CAST(`active_sellers` AS DECIMAL(38, 0)) AS `active_sellers`,
  CAST(`active_categories` AS DECIMAL(38, 0)) AS `active_categories`,
  CAST(`active_products` AS DECIMAL(38, 0)) AS `active_products`,
  CAST(CAST(`biggest_sale` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `biggest_sale`
FROM `sales-window-step-2`;
