SET 'pipeline.name' = 'millrace order-analytics';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';

CREATE TEMPORARY TABLE `processed-orders` (
  `order_id` STRING,
  `user_id` STRING,
  `product_id` STRING,
  `amount` DECIMAL(22, 6),
  `timestamp` STRING,
  `product_name` STRING,
  `processed_at` STRING,
  `_arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `_at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `_arrival` + INTERVAL '10' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `_at` AS `_at` - INTERVAL '65' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'processed-orders',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-order-analytics',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `order-analytics-source` AS
SELECT
  `product_id`,
  CAST(`amount` * 100 AS BIGINT) AS `amount`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  `product_name`,
  `_at`
FROM `processed-orders`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `order_id` IS NOT NULL
  AND `user_id` IS NOT NULL
  AND `product_id` IS NOT NULL
  AND `product_id` IN ('prod-1', 'prod-2', 'prod-3', 'prod-4', 'prod-5')
  AND `amount` IS NOT NULL
  AND `amount` = ROUND(`amount`, 2) AND ABS(`amount`) <= 90071992547409.91
  AND CAST(`amount` * 100 AS BIGINT) > 0
  AND `product_name` IS NOT NULL
  AND `product_name` IN ('Laptop', 'Phone', 'Tablet', 'Monitor', 'Keyboard')
  AND `processed_at` IS NOT NULL
  AND CASE WHEN REGEXP(`processed_at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`processed_at`, 1, 10), ' ', SUBSTRING(`processed_at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`processed_at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`processed_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`processed_at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`processed_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`processed_at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END IS NOT NULL;

CREATE TEMPORARY VIEW `order-analytics-step-1` AS
SELECT
  window_start,
  window_end,
  `product_id`,
  `product_name`,
  `_count_1` AS `order_count`,
  `_sum_2` AS `total_revenue`,
  CASE WHEN `_count_3` <> 0 AND ABS(`_sum_2`) < 100000000000000000 AND ABS(`_count_3`) < 100000000000000000
    THEN CASE WHEN (`_sum_2` < 0) <> (`_count_3` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_2` AS BIGINT)) + ABS(CAST(`_count_3` AS BIGINT))) / (2 * ABS(CAST(`_count_3` AS BIGINT)))) END AS `avg_order_value`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `product_id`,
    `product_name`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`amount` AS DECIMAL(20, 0))) AS `_sum_2`,
    COUNT(`amount`) AS `_count_3`
  FROM TABLE(
    TUMBLE(TABLE `order-analytics-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `product_id`, `product_name`, window_time);

CREATE TEMPORARY TABLE `order-analytics-sink` (
  `_key` STRING NOT NULL,
  `window_start` BIGINT,
  `window_end` BIGINT,
  `product_id` STRING,
  `product_name` STRING,
  `order_count` DECIMAL(38, 0),
  `total_revenue` DECIMAL(38, 2),
  `avg_order_value` DECIMAL(38, 2),
  `is_final` BOOLEAN,
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'product-metrics',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-order-analytics',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `order-analytics-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(UNIX_TIMESTAMP(DATE_FORMAT(`window_start`, 'yyyy-MM-dd HH:mm:ss'))), 'null'), ',', COALESCE(JSON_STRING(UNIX_TIMESTAMP(DATE_FORMAT(`window_end`, 'yyyy-MM-dd HH:mm:ss'))), 'null'), ',', COALESCE(JSON_STRING(`product_id`), 'null'), ',', COALESCE(JSON_STRING(`product_name`), 'null'), ']') AS `_key`,
  UNIX_TIMESTAMP(DATE_FORMAT(`window_start`, 'yyyy-MM-dd HH:mm:ss')) AS `window_start`,
  UNIX_TIMESTAMP(DATE_FORMAT(`window_end`, 'yyyy-MM-dd HH:mm:ss')) AS `window_end`,
  `product_id`,
  `product_name`,
  CAST(`order_count` AS DECIMAL(38, 0)) AS `order_count`,
  CAST(CAST(`total_revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `total_revenue`,
  CAST(CAST(`avg_order_value` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `avg_order_value`,
  TRUE AS `is_final`
FROM `order-analytics-step-1`;
