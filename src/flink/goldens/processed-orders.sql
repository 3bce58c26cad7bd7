SET 'pipeline.name' = 'millrace processed-orders';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';
SET 'table.exec.state.ttl' = '3600000 ms';

CREATE TEMPORARY TABLE `orders` (
  `order_id` STRING,
  `user_id` STRING,
  `product_id` STRING,
  `amount` DECIMAL(22, 6),
  `timestamp` STRING,
  `_arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `_at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `_arrival` + INTERVAL '10' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `_at` AS `_at` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-processed-orders',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `processed-orders-source` AS
SELECT
  `order_id`,
  `user_id`,
  `product_id`,
  CAST(`amount` * 100 AS BIGINT) AS `amount`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  `_at`,
  PROCTIME() AS `_seen`
FROM `orders`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `order_id` IS NOT NULL
  AND `user_id` IS NOT NULL
  AND `product_id` IS NOT NULL
  AND `product_id` IN ('prod-1', 'prod-2', 'prod-3', 'prod-4', 'prod-5')
  AND `amount` IS NOT NULL
  AND `amount` = ROUND(`amount`, 2) AND ABS(`amount`) <= 90071992547409.91
  AND CAST(`amount` * 100 AS BIGINT) > 0;

CREATE TEMPORARY VIEW `processed-orders-step-1` AS
SELECT
  `order_id`,
  `user_id`,
  `product_id`,
  `amount`,
  `timestamp`,
  CASE `product_id`
    WHEN 'prod-1' THEN 'Laptop'
    WHEN 'prod-2' THEN 'Phone'
    WHEN 'prod-3' THEN 'Tablet'
    WHEN 'prod-4' THEN 'Monitor'
    WHEN 'prod-5' THEN 'Keyboard' END AS `product_name`,
  `_at`,
  `_seen`
FROM `processed-orders-source`
WHERE `product_id` IN ('prod-1', 'prod-2', 'prod-3', 'prod-4', 'prod-5');

CREATE TEMPORARY VIEW `processed-orders-step-2` AS
SELECT
  `order_id`,
  `user_id`,
  `product_id`,
  `amount`,
  `timestamp`,
  `product_name`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `order_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `processed-orders-step-1`
  WHERE `order_id` IS NOT NULL)
WHERE `_rank` = 1;

CREATE TEMPORARY TABLE `processed-orders-sink` (
  `order_id` STRING,
  `user_id` STRING,
  `product_id` STRING,
  `amount` DECIMAL(38, 2),
  `timestamp` STRING,
  `product_name` STRING,
  `processed_at` TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'kafka',
  'topic' = 'processed-orders',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-processed-orders',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'key.fields' = 'order_id',
  'value.fields-include' = 'ALL',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `processed-orders-sink`
SELECT
  `order_id`,
  `user_id`,
  `product_id`,
  CAST(CAST(`amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `amount`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`timestamp`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z''') AS `timestamp`,
  `product_name`,
  CURRENT_TIMESTAMP AS `processed_at`
FROM `processed-orders-step-2`;
