SET 'pipeline.name' = 'millrace order-items-enriched';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';
SET 'table.exec.state.ttl' = '86400000 ms';

CREATE TEMPORARY TABLE `ecommerce_order_items` (
  `order_item_id` STRING,
  `order_id` STRING,
  `order_date` STRING,
  `product_id` STRING,
  `product_name` STRING,
  `category` STRING,
  `unit_price` DECIMAL(22, 6),
  `quantity` DECIMAL(20, 4),
  `discount` DECIMAL(22, 6),
  `item_total` DECIMAL(22, 6),
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
  'topic' = 'ecommerce_order_items',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-order-items-enriched',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `order-items-enriched-source-ecommerce_order_items` AS
SELECT
  `order_item_id`,
  `order_id`,
  CASE WHEN REGEXP(`order_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`order_date`, 1, 10), ' ', SUBSTRING(`order_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`order_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `order_date`,
  `product_id`,
  `product_name`,
  `category`,
  CAST(`unit_price` * 100 AS BIGINT) AS `unit_price`,
  CAST(`quantity` AS BIGINT) AS `quantity`,
  COALESCE(CAST(`discount` * 100 AS BIGINT), CAST(0 AS BIGINT)) AS `discount`,
  CAST(`item_total` * 100 AS BIGINT) AS `item_total`,
  `_at`,
  PROCTIME() AS `_seen`
FROM `ecommerce_order_items`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `order_item_id` IS NOT NULL
  AND `order_id` IS NOT NULL
  AND `product_id` IS NOT NULL
  AND `product_name` IS NOT NULL
  AND `category` IS NOT NULL
  AND `unit_price` IS NOT NULL
  AND `unit_price` = ROUND(`unit_price`, 2) AND ABS(`unit_price`) <= 90071992547409.91
  AND CAST(`unit_price` * 100 AS BIGINT) >= 0
  AND `quantity` IS NOT NULL
  AND `quantity` = FLOOR(`quantity`) AND ABS(`quantity`) <= 9007199254740991
  AND CAST(`quantity` AS BIGINT) > 0
  AND (`discount` IS NULL OR `discount` = ROUND(`discount`, 2) AND ABS(`discount`) <= 90071992547409.91)
  AND COALESCE(CAST(`discount` * 100 AS BIGINT), CAST(0 AS BIGINT)) >= 0
  AND `item_total` IS NOT NULL
  AND `item_total` = ROUND(`item_total`, 2) AND ABS(`item_total`) <= 90071992547409.91
  AND CAST(`item_total` * 100 AS BIGINT) >= 0;

CREATE TEMPORARY VIEW `order-items-enriched-step-1` AS
SELECT
  `order_item_id`,
  `order_id`,
  `order_date`,
  `product_id`,
  `product_name`,
  `category`,
  `unit_price`,
  `quantity`,
  `discount`,
  `item_total`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `order_item_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `order-items-enriched-source-ecommerce_order_items`
  WHERE `order_item_id` IS NOT NULL)
WHERE `_rank` = 1;

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
  'properties.group.id' = 'millrace-flink-order-items-enriched',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `order-items-enriched-source-ecommerce_orders` AS
SELECT
  `order_id`,
  `customer_id`,
  CASE WHEN REGEXP(`order_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`order_date`, 1, 10), ' ', SUBSTRING(`order_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`order_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `order_date`,
  `status`,
  `payment_method`,
  `shipping_country`,
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

CREATE TEMPORARY VIEW `order-items-enriched-step-2` AS
SELECT
  `order_id`,
  `order_date`,
  `customer_id`,
  `status`,
  `payment_method`,
  `shipping_country`,
  `_at`,
  `_seen`
FROM `order-items-enriched-source-ecommerce_orders`;

CREATE TEMPORARY VIEW `order-items-enriched-step-3` AS
SELECT
  `order_id`,
  `order_date` AS `ordered_at`,
  `customer_id`,
  `status` AS `order_status`,
  `payment_method`,
  `shipping_country`,
  `_at`,
  `_seen`
FROM `order-items-enriched-step-2`;

CREATE TEMPORARY VIEW `order-items-enriched-step-1-versions-of-order-items-enriched-step-3` AS
SELECT
  `order_id`,
  `ordered_at`,
  `customer_id`,
  `order_status`,
  `payment_method`,
  `shipping_country`,
  `_at`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `order_id` ORDER BY `_at` DESC) AS `_rank`
  FROM `order-items-enriched-step-3`)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `order-items-enriched-step-4` AS
SELECT
  l.`order_item_id` AS `order_item_id`,
  l.`order_id` AS `order_id`,
  l.`order_date` AS `order_date`,
  l.`product_id` AS `product_id`,
  l.`product_name` AS `product_name`,
  l.`category` AS `category`,
  l.`unit_price` AS `unit_price`,
  l.`quantity` AS `quantity`,
  l.`discount` AS `discount`,
  l.`item_total` AS `item_total`,
  r.`ordered_at` AS `ordered_at`,
  r.`customer_id` AS `customer_id`,
  r.`order_status` AS `order_status`,
  r.`payment_method` AS `payment_method`,
  r.`shipping_country` AS `shipping_country`,
  l.`_at` AS `_at`,
  l.`_seen` AS `_seen`
FROM `order-items-enriched-step-1` AS l
LEFT JOIN `order-items-enriched-step-1-versions-of-order-items-enriched-step-3` FOR SYSTEM_TIME AS OF l.`_at` AS r
  ON l.`order_id` = r.`order_id`;

CREATE TEMPORARY TABLE `order-items-enriched-sink` (
  `order_item_id` STRING,
  `order_id` STRING,
  `order_date` STRING,
  `product_id` STRING,
  `product_name` STRING,
  `category` STRING,
  `unit_price` DECIMAL(38, 2),
  `quantity` DECIMAL(38, 0),
  `discount` DECIMAL(38, 2),
  `item_total` DECIMAL(38, 2),
  `ordered_at` STRING,
  `customer_id` STRING,
  `order_status` STRING,
  `payment_method` STRING,
  `shipping_country` STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'order-items-enriched',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-order-items-enriched',
  'properties.transaction.timeout.ms' = '900000',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `order-items-enriched-sink`
SELECT
  `order_item_id`,
  `order_id`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`order_date`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `order_date`,
  `product_id`,
  `product_name`,
  `category`,
  CAST(CAST(`unit_price` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `unit_price`,
  CAST(`quantity` AS DECIMAL(38, 0)) AS `quantity`,
  CAST(CAST(`discount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `discount`,
  CAST(CAST(`item_total` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `item_total`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`ordered_at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `ordered_at`,
  `customer_id`,
  `order_status`,
  `payment_method`,
  `shipping_country`
FROM `order-items-enriched-step-4`;
