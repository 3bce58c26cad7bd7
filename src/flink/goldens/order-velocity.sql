SET 'pipeline.name' = 'millrace order-velocity';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';
SET 'table.exec.state.ttl' = '86400000 ms';

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
  'properties.group.id' = 'millrace-flink-order-velocity',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `order-velocity-source-ecommerce_orders` AS
SELECT
  `order_id`,
  `customer_id`,
  CASE WHEN REGEXP(`order_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`order_date`, 1, 10), ' ', SUBSTRING(`order_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`order_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`order_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `order_date`,
  `status`,
  `payment_method`,
  CAST(`total_amount` * 100 AS BIGINT) AS `total_amount`,
  `shipping_country`,
  `shipping_state`,
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

CREATE TEMPORARY VIEW `order-velocity-step-1` AS
SELECT
  `order_id`,
  `customer_id`,
  `order_date`,
  `status`,
  `payment_method`,
  `total_amount`,
  `shipping_country`,
  `shipping_state`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `order_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `order-velocity-source-ecommerce_orders`
  WHERE `order_id` IS NOT NULL)
WHERE `_rank` = 1;

CREATE TEMPORARY TABLE `ecommerce_customers` (
  `customer_id` STRING,
  `name` STRING,
  `email` STRING,
  `phone` STRING,
  `country` STRING,
  `state` STRING,
  `segment` STRING,
  `registered_at` STRING,
  `updated_at` STRING,
  `_arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `_at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`updated_at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`updated_at`, 1, 10), ' ', SUBSTRING(`updated_at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`updated_at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `_arrival` + INTERVAL '10' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`updated_at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`updated_at`, 1, 10), ' ', SUBSTRING(`updated_at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`updated_at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `_at` AS `_at` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'ecommerce_customers',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-order-velocity',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `order-velocity-source-ecommerce_customers` AS
SELECT
  `customer_id`,
  `country`,
  COALESCE(`segment`, 'regular') AS `segment`,
  CASE WHEN REGEXP(`registered_at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`registered_at`, 1, 10), ' ', SUBSTRING(`registered_at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`registered_at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`registered_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`registered_at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`registered_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`registered_at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `registered_at`,
  CASE WHEN REGEXP(`updated_at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`updated_at`, 1, 10), ' ', SUBSTRING(`updated_at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`updated_at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `updated_at`,
  `_at`,
  PROCTIME() AS `_seen`
FROM `ecommerce_customers`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `customer_id` IS NOT NULL
  AND `name` IS NOT NULL
  AND `country` IS NOT NULL
  AND COALESCE(`segment`, 'regular') IN ('new', 'regular', 'loyal', 'business')
  AND `registered_at` IS NOT NULL
  AND CASE WHEN REGEXP(`registered_at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`registered_at`, 1, 10), ' ', SUBSTRING(`registered_at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`registered_at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`registered_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`registered_at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`registered_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`registered_at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END IS NOT NULL;

CREATE TEMPORARY VIEW `order-velocity-step-2` AS
SELECT
  `customer_id`,
  `updated_at`,
  `registered_at`,
  `country`,
  `segment`,
  `_at`,
  `_seen`
FROM `order-velocity-source-ecommerce_customers`;

CREATE TEMPORARY VIEW `order-velocity-step-3` AS
SELECT
  `customer_id`,
  `updated_at`,
  `registered_at`,
  `country` AS `customer_country`,
  `segment` AS `customer_segment`,
  `_at`,
  `_seen`
FROM `order-velocity-step-2`;

CREATE TEMPORARY VIEW `order-velocity-step-1-versions-of-order-velocity-step-3` AS
SELECT
  `customer_id`,
  `updated_at`,
  `registered_at`,
  `customer_country`,
  `customer_segment`,
  `_at`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `customer_id` ORDER BY `_at` DESC) AS `_rank`
  FROM `order-velocity-step-3`)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `order-velocity-step-4` AS
SELECT
  l.`order_id` AS `order_id`,
  l.`customer_id` AS `customer_id`,
  l.`order_date` AS `order_date`,
  l.`status` AS `status`,
  l.`payment_method` AS `payment_method`,
  l.`total_amount` AS `total_amount`,
  l.`shipping_country` AS `shipping_country`,
  l.`shipping_state` AS `shipping_state`,
  r.`updated_at` AS `updated_at`,
  r.`registered_at` AS `registered_at`,
  r.`customer_country` AS `customer_country`,
  r.`customer_segment` AS `customer_segment`,
  l.`_at` AS `_at`,
  l.`_seen` AS `_seen`
FROM `order-velocity-step-1` AS l
LEFT JOIN `order-velocity-step-1-versions-of-order-velocity-step-3` FOR SYSTEM_TIME AS OF l.`_at` AS r
  ON l.`customer_id` = r.`customer_id`;

CREATE TEMPORARY VIEW `order-velocity-step-5` AS
SELECT
  `order_date`,
  `order_id`,
  `customer_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `shipping_country`,
  `shipping_state`,
  `registered_at`,
  `customer_country`,
  `_at`,
  `_seen`
FROM `order-velocity-step-4`;

CREATE TEMPORARY VIEW `order-velocity-step-6` AS
SELECT
  `order_date`,
  `order_id`,
  `customer_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `shipping_country`,
  `shipping_state`,
  `registered_at`,
  `customer_country`,
  `_count_1` AS `customer_count_1h`,
  `_sum_2` AS `customer_sum_1h`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`,
    SUM(CAST(`total_amount` AS DECIMAL(20, 0))) OVER `_recent` AS `_sum_2`
  FROM `order-velocity-step-5`
  WINDOW `_recent` AS (PARTITION BY `customer_id` ORDER BY `_at` RANGE BETWEEN INTERVAL '3599.999' SECOND(4, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `order-velocity-step-7` AS
SELECT
  `order_date`,
  `order_id`,
  `customer_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `shipping_country`,
  `shipping_state`,
  `registered_at`,
  `customer_country`,
  `customer_count_1h`,
  `customer_sum_1h`,
  `_count_1` AS `customer_count_24h`,
  `_distinct_2` AS `customer_countries_24h`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`,
    COUNT(DISTINCT `shipping_country`) OVER `_recent` AS `_distinct_2`
  FROM `order-velocity-step-6`
  WINDOW `_recent` AS (PARTITION BY `customer_id` ORDER BY `_at` RANGE BETWEEN INTERVAL '86399.999' SECOND(5, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `order-velocity-step-8` AS
SELECT
  `order_date`,
  `order_id`,
  `customer_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `shipping_country`,
  `shipping_state`,
  `registered_at`,
  `customer_country`,
  `customer_count_1h`,
  `customer_sum_1h`,
  `customer_count_24h`,
  `customer_countries_24h`,
  COALESCE(`_sum`, 0) * POWER(2, -(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 919878395904 AS DOUBLE) / 1796637492)) AS `customer_spent_30d`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    SUM(`_value` * POWER(2, CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 919878395904 AS DOUBLE) / 1796637492)) OVER (PARTITION BY `customer_id`, `_block` ORDER BY `_at` RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS `_sum`
  FROM (
    SELECT *, CAST(`total_amount` AS DOUBLE) / 100 AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 919878395904) AS BIGINT) + 0 AS `_block`, TRUE AS `_home` FROM `order-velocity-step-7`
    UNION ALL
    SELECT *, CAST(`total_amount` AS DOUBLE) / 100 AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 919878395904) AS BIGINT) + 1 AS `_block`, FALSE AS `_home` FROM `order-velocity-step-7`))
WHERE `_home`;

CREATE TEMPORARY VIEW `order-velocity-step-9` AS
SELECT
  `order_date`,
  `order_id`,
  `customer_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `shipping_country`,
  `shipping_state`,
  `registered_at`,
  `customer_country`,
  `customer_count_1h`,
  `customer_sum_1h`,
  `customer_count_24h`,
  `customer_countries_24h`,
  `customer_spent_30d`,
  COALESCE(`_sum`, 0) * POWER(2, -(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 919878395904 AS DOUBLE) / 1796637492)) AS `customer_ordered_30d`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    SUM(`_value` * POWER(2, CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 919878395904 AS DOUBLE) / 1796637492)) OVER (PARTITION BY `customer_id`, `_block` ORDER BY `_at` RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS `_sum`
  FROM (
    SELECT *, CAST(CAST(1 AS BIGINT) AS DOUBLE) AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 919878395904) AS BIGINT) + 0 AS `_block`, TRUE AS `_home` FROM `order-velocity-step-8`
    UNION ALL
    SELECT *, CAST(CAST(1 AS BIGINT) AS DOUBLE) AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 919878395904) AS BIGINT) + 1 AS `_block`, FALSE AS `_home` FROM `order-velocity-step-8`))
WHERE `_home`;

CREATE TEMPORARY TABLE `order-velocity-sink` (
  `order_date` STRING,
  `order_id` STRING,
  `customer_id` STRING,
  `total_amount` DECIMAL(38, 2),
  `payment_method` STRING,
  `status` STRING,
  `shipping_country` STRING,
  `shipping_state` STRING,
  `registered_at` STRING,
  `customer_country` STRING,
  `customer_count_1h` DECIMAL(38, 0),
  `customer_sum_1h` DECIMAL(38, 2),
  `customer_count_24h` DECIMAL(38, 0),
  `customer_countries_24h` DECIMAL(38, 0),
  `customer_spent_30d` DOUBLE,
  `customer_ordered_30d` DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'order-velocity',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-order-velocity',
  'properties.transaction.timeout.ms' = '900000',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `order-velocity-sink`
SELECT
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`order_date`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `order_date`,
  `order_id`,
  `customer_id`,
  CAST(CAST(`total_amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `total_amount`,
  `payment_method`,
  `status`,
  `shipping_country`,
  `shipping_state`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`registered_at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `registered_at`,
  `customer_country`,
  CAST(`customer_count_1h` AS DECIMAL(38, 0)) AS `customer_count_1h`,
  CAST(CAST(`customer_sum_1h` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `customer_sum_1h`,
  CAST(`customer_count_24h` AS DECIMAL(38, 0)) AS `customer_count_24h`,
  CAST(`customer_countries_24h` AS DECIMAL(38, 0)) AS `customer_countries_24h`,
  `customer_spent_30d`,
  `customer_ordered_30d`
FROM `order-velocity-step-9`;
