SET 'pipeline.name' = 'millrace quality-ecommerce-orders';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';

CREATE TEMPORARY TABLE `ecommerce_orders` (
  `order_id` STRING,
  `customer_id` STRING,
  `order_date` STRING,
  `status` STRING,
  `payment_method` STRING,
  `currency` STRING,
  `subtotal` DECIMAL(22, 6),
  `discount` DECIMAL(22, 6),
  `shipping_cost` DECIMAL(22, 6),
  `tax_amount` DECIMAL(22, 6),
  `total_amount` DECIMAL(22, 6),
  `shipping_country` STRING,
  `shipping_state` STRING,
  `_arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `_at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`order_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`order_date`, 1, 10), ' ', SUBSTRING(`order_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`order_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `_arrival` + INTERVAL '10' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`order_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`order_date`, 1, 10), ' ', SUBSTRING(`order_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`order_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `_at` AS `_at` - INTERVAL '65' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'ecommerce_orders',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-quality-ecommerce-orders',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `quality-ecommerce-orders-source` AS
SELECT
  CASE WHEN REGEXP(`order_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`order_date`, 1, 10), ' ', SUBSTRING(`order_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`order_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `order_date`,
  `shipping_state`,
  `_at`
FROM `ecommerce_orders`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `order_id` IS NOT NULL
  AND `customer_id` IS NOT NULL
  AND `status` IS NOT NULL
  AND `status` IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled')
  AND `payment_method` IS NOT NULL
  AND COALESCE(`currency`, 'USD') IN ('USD')
  AND `subtotal` IS NOT NULL
  AND `subtotal` = ROUND(`subtotal`, 2) AND ABS(`subtotal`) <= 90071992547409.91
  AND CAST(`subtotal` * 100 AS BIGINT) >= 0
  AND (`discount` IS NULL OR `discount` = ROUND(`discount`, 2) AND ABS(`discount`) <= 90071992547409.91)
  AND COALESCE(CAST(`discount` * 100 AS BIGINT), CAST(0 AS BIGINT)) >= 0
  AND (`shipping_cost` IS NULL OR `shipping_cost` = ROUND(`shipping_cost`, 2) AND ABS(`shipping_cost`) <= 90071992547409.91)
  AND COALESCE(CAST(`shipping_cost` * 100 AS BIGINT), CAST(0 AS BIGINT)) >= 0
  AND (`tax_amount` IS NULL OR `tax_amount` = ROUND(`tax_amount`, 2) AND ABS(`tax_amount`) <= 90071992547409.91)
  AND COALESCE(CAST(`tax_amount` * 100 AS BIGINT), CAST(0 AS BIGINT)) >= 0
  AND `total_amount` IS NOT NULL
  AND `total_amount` = ROUND(`total_amount`, 2) AND ABS(`total_amount`) <= 90071992547409.91
  AND CAST(`total_amount` * 100 AS BIGINT) >= 0
  AND `shipping_country` IS NOT NULL;

CREATE TEMPORARY VIEW `quality-ecommerce-orders-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `records`,
  `_count_2` AS `shipping_state`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    COUNT(`shipping_state`) AS `_count_2`
  FROM TABLE(
    TUMBLE(TABLE `quality-ecommerce-orders-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

CREATE TEMPORARY TABLE `quality-ecommerce-orders-sink` (
  `_key` STRING NOT NULL,
  `window_start` STRING,
  `window_end` STRING,
  `records` DECIMAL(38, 0),
  `shipping_state` DECIMAL(38, 0),
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'quality-ecommerce-orders',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-quality-ecommerce-orders',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `quality-ecommerce-orders-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`records` AS DECIMAL(38, 0)) AS `records`,
  CAST(`shipping_state` AS DECIMAL(38, 0)) AS `shipping_state`
FROM `quality-ecommerce-orders-step-1`;
