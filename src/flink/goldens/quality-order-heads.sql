SET 'pipeline.name' = 'millrace quality-order-heads';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';
SET 'table.exec.state.ttl' = '3600000 ms';

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
  WATERMARK FOR `_at` AS `_at` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'ecommerce_orders',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-quality-order-heads',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `quality-order-heads-source` AS
SELECT
  `order_id`,
  CASE WHEN REGEXP(`order_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`order_date`, 1, 10), ' ', SUBSTRING(`order_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`order_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `order_date`,
  CAST(`subtotal` * 100 AS BIGINT) AS `subtotal`,
  COALESCE(CAST(`discount` * 100 AS BIGINT), CAST(0 AS BIGINT)) AS `discount`,
  COALESCE(CAST(`shipping_cost` * 100 AS BIGINT), CAST(0 AS BIGINT)) AS `shipping_cost`,
  COALESCE(CAST(`tax_amount` * 100 AS BIGINT), CAST(0 AS BIGINT)) AS `tax_amount`,
  CAST(`total_amount` * 100 AS BIGINT) AS `total_amount`,
  `_at`,
  PROCTIME() AS `_seen`
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

CREATE TEMPORARY VIEW `quality-order-heads-step-1` AS
SELECT
  `order_id`,
  `order_date`,
  `subtotal`,
  `discount`,
  `shipping_cost`,
  `tax_amount`,
  `total_amount`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `order_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `quality-order-heads-source`
  WHERE `order_id` IS NOT NULL)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `quality-order-heads-step-2` AS
SELECT
  `order_id`,
  `order_date`,
  `subtotal`,
  `discount`,
  `shipping_cost`,
  `tax_amount`,
  `total_amount`,
  `_at`,
  `_seen`
FROM `quality-order-heads-step-1`;

CREATE TEMPORARY TABLE `quality-order-heads-sink` (
  `order_id` STRING,
  `order_date` STRING,
  `subtotal` DECIMAL(38, 2),
  `discount` DECIMAL(38, 2),
  `shipping_cost` DECIMAL(38, 2),
  `tax_amount` DECIMAL(38, 2),
  `total_amount` DECIMAL(38, 2)
) WITH (
  'connector' = 'kafka',
  'topic' = 'quality-order-heads',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-quality-order-heads',
  'properties.transaction.timeout.ms' = '900000',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `quality-order-heads-sink`
SELECT
  `order_id`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`order_date`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `order_date`,
  CAST(CAST(`subtotal` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `subtotal`,
  CAST(CAST(`discount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `discount`,
  CAST(CAST(`shipping_cost` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `shipping_cost`,
  CAST(CAST(`tax_amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `tax_amount`,
  CAST(CAST(`total_amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `total_amount`
FROM `quality-order-heads-step-2`;
