SET 'pipeline.name' = 'millrace store-metrics';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';

CREATE TEMPORARY TABLE `user-events` (
  `event_id` STRING,
  `user_id` STRING,
  `event_type` STRING,
  `timestamp` STRING,
  `product_id` STRING,
  `product_name` STRING,
  `category` STRING,
  `price` DECIMAL(22, 6),
  `search_query` STRING,
  `session_id` STRING,
  `ip_address` STRING,
  `user_agent` STRING,
  `device_id` STRING,
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
  'topic' = 'user-events',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-store-metrics',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `store-metrics-source-user-events` AS
SELECT
  `user_id`,
  `event_type`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  `_at`
FROM `user-events`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `event_id` IS NOT NULL
  AND `user_id` IS NOT NULL
  AND `event_type` IS NOT NULL
  AND `event_type` IN ('product_view', 'add_to_cart', 'search', 'login', 'login_failed')
  AND (`price` IS NULL OR `price` = ROUND(`price`, 2) AND ABS(`price`) <= 90071992547409.91)
  AND (`price` IS NULL OR CAST(`price` * 100 AS BIGINT) >= 0)
  AND `session_id` IS NOT NULL;

CREATE TEMPORARY VIEW `store-metrics-step-1` AS
SELECT
  `timestamp`,
  `user_id`,
  `event_type`,
  `_at`
FROM `store-metrics-source-user-events`;

CREATE TEMPORARY TABLE `transactions` (
  `transaction_id` STRING,
  `user_id` STRING,
  `event_type` STRING,
  `timestamp` STRING,
  `payment_method` STRING,
  `total_amount` DECIMAL(22, 6),
  `tax_amount` DECIMAL(22, 6),
  `shipping_cost` DECIMAL(22, 6),
  `session_id` STRING,
  `ip_address` STRING,
  `device_id` STRING,
  `card_fingerprint` STRING,
  `status` STRING,
  `billing_country` STRING,
  `shipping_country` STRING,
  `ip_country` STRING,
  `seller` STRING,
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
  'topic' = 'transactions',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-store-metrics',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `store-metrics-source-transactions` AS
SELECT
  `user_id`,
  COALESCE(`event_type`, 'purchase') AS `event_type`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  COALESCE(`status`, 'approved') AS `status`,
  `_at`
FROM `transactions`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `transaction_id` IS NOT NULL
  AND `user_id` IS NOT NULL
  AND COALESCE(`event_type`, 'purchase') IN ('purchase')
  AND `payment_method` IS NOT NULL
  AND `total_amount` IS NOT NULL
  AND `total_amount` = ROUND(`total_amount`, 2) AND ABS(`total_amount`) <= 90071992547409.91
  AND CAST(`total_amount` * 100 AS BIGINT) > 0
  AND (`tax_amount` IS NULL OR `tax_amount` = ROUND(`tax_amount`, 2) AND ABS(`tax_amount`) <= 90071992547409.91)
  AND COALESCE(CAST(`tax_amount` * 100 AS BIGINT), CAST(0 AS BIGINT)) >= 0
  AND (`shipping_cost` IS NULL OR `shipping_cost` = ROUND(`shipping_cost`, 2) AND ABS(`shipping_cost`) <= 90071992547409.91)
  AND COALESCE(CAST(`shipping_cost` * 100 AS BIGINT), CAST(0 AS BIGINT)) >= 0
  AND COALESCE(`status`, 'approved') IN ('approved', 'declined');

CREATE TEMPORARY VIEW `store-metrics-step-2` AS
SELECT *
FROM `store-metrics-source-transactions`
WHERE (`status` = 'approved');

CREATE TEMPORARY VIEW `store-metrics-step-3` AS
SELECT
  `timestamp`,
  `user_id`,
  `event_type`,
  `_at`
FROM `store-metrics-step-2`;

CREATE TEMPORARY VIEW `store-metrics-step-4` AS
SELECT
  `timestamp`,
  `user_id`,
  `event_type`,
  `_at`
FROM `store-metrics-step-1`
UNION ALL
SELECT
  `timestamp`,
  `user_id`,
  `event_type`,
  `_at`
FROM `store-metrics-step-3`;

CREATE TEMPORARY VIEW `store-metrics-step-5` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `views`,
  `_count_2` AS `carts`,
  `_count_3` AS `searches`,
  `_count_4` AS `purchases`,
  `_distinct_5` AS `active_users`,
  CASE WHEN `_count_1` <> 0 AND ABS(`_count_2`) < 10000000000000 AND ABS(`_count_1`) < 100000000000000000
    THEN CASE WHEN (`_count_2` < 0) <> (`_count_1` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_count_2` AS BIGINT)) * 10000 + ABS(CAST(`_count_1` AS BIGINT))) / (2 * ABS(CAST(`_count_1` AS BIGINT)))) END AS `cart_rate`,
  CASE WHEN `_count_2` <> 0 AND ABS(`_count_4`) < 10000000000000 AND ABS(`_count_2`) < 100000000000000000
    THEN CASE WHEN (`_count_4` < 0) <> (`_count_2` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_count_4` AS BIGINT)) * 10000 + ABS(CAST(`_count_2` AS BIGINT))) / (2 * ABS(CAST(`_count_2` AS BIGINT)))) END AS `purchase_rate`,
  CASE WHEN `_count_1` <> 0 AND ABS(`_count_4`) < 10000000000000 AND ABS(`_count_1`) < 100000000000000000
    THEN CASE WHEN (`_count_4` < 0) <> (`_count_1` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_count_4` AS BIGINT)) * 10000 + ABS(CAST(`_count_1` AS BIGINT))) / (2 * ABS(CAST(`_count_1` AS BIGINT)))) END AS `conversion_rate`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) FILTER (WHERE (`event_type` = 'product_view')) AS `_count_1`,
    COUNT(*) FILTER (WHERE (`event_type` = 'add_to_cart')) AS `_count_2`,
    COUNT(*) FILTER (WHERE (`event_type` = 'search')) AS `_count_3`,
    COUNT(*) FILTER (WHERE (`event_type` = 'purchase')) AS `_count_4`,
    COUNT(DISTINCT `user_id`) AS `_distinct_5`
  FROM TABLE(
    TUMBLE(TABLE `store-metrics-step-4`, DESCRIPTOR(`_at`), INTERVAL '30' SECOND))
  GROUP BY window_start, window_end, window_time);

CREATE TEMPORARY TABLE `store-metrics-sink` (
  `_key` STRING NOT NULL,
  `window_start` STRING,
  `window_end` STRING,
  `views` DECIMAL(38, 0),
  `carts` DECIMAL(38, 0),
  `searches` DECIMAL(38, 0),
  `purchases` DECIMAL(38, 0),
  `active_users` DECIMAL(38, 0),
  `cart_rate` DECIMAL(38, 4),
  `purchase_rate` DECIMAL(38, 4),
  `conversion_rate` DECIMAL(38, 4),
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'store-metrics',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-store-metrics',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `store-metrics-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`views` AS DECIMAL(38, 0)) AS `views`,
  CAST(`carts` AS DECIMAL(38, 0)) AS `carts`,
  CAST(`searches` AS DECIMAL(38, 0)) AS `searches`,
  CAST(`purchases` AS DECIMAL(38, 0)) AS `purchases`,
  CAST(`active_users` AS DECIMAL(38, 0)) AS `active_users`,
  CAST(CAST(`cart_rate` AS DECIMAL(31, 0)) * 0.0001 AS DECIMAL(38, 4)) AS `cart_rate`,
  CAST(CAST(`purchase_rate` AS DECIMAL(31, 0)) * 0.0001 AS DECIMAL(38, 4)) AS `purchase_rate`,
  CAST(CAST(`conversion_rate` AS DECIMAL(31, 0)) * 0.0001 AS DECIMAL(38, 4)) AS `conversion_rate`
FROM `store-metrics-step-5`;
