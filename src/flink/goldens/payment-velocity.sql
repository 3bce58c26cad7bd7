SET 'pipeline.name' = 'millrace payment-velocity';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';
SET 'table.exec.state.ttl' = '86400000 ms';

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
  `shipping_address` STRING,
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
  'topic' = 'transactions',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-payment-velocity',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `payment-velocity-source` AS
SELECT
  `transaction_id`,
  `user_id`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  `payment_method`,
  CAST(`total_amount` * 100 AS BIGINT) AS `total_amount`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  COALESCE(`status`, 'approved') AS `status`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  JSON_VALUE(`shipping_address`, '$.street') AS `shipping_address.street`,
  JSON_VALUE(`shipping_address`, '$.zip') AS `shipping_address.zip`,
  `_at`,
  PROCTIME() AS `_seen`
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

CREATE TEMPORARY VIEW `payment-velocity-step-1` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `shipping_address.street`,
  `shipping_address.zip`,
  `_at`,
  `_seen`
FROM `payment-velocity-source`;

CREATE TEMPORARY VIEW `payment-velocity-step-2` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `shipping_address.street` AS `street`,
  `shipping_address.zip` AS `zip`,
  `_at`,
  `_seen`
FROM `payment-velocity-step-1`;

CREATE TEMPORARY VIEW `payment-velocity-step-3` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `transaction_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `payment-velocity-step-2`
  WHERE `transaction_id` IS NOT NULL)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `payment-velocity-step-4` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  `_count_1` AS `user_count_1m`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`
  FROM `payment-velocity-step-3`
  WINDOW `_recent` AS (PARTITION BY `user_id` ORDER BY `_at` RANGE BETWEEN INTERVAL '59.999' SECOND(2, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `payment-velocity-step-5` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  `user_count_1m`,
  `_count_1` AS `user_count_1h`,
  `_sum_2` AS `user_sum_1h`,
  `_count_3` AS `user_declined_1h`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`,
    SUM(CAST(`total_amount` AS DECIMAL(20, 0))) OVER `_recent` AS `_sum_2`,
    COUNT(CASE WHEN (`status` = 'declined') THEN 1 END) OVER `_recent` AS `_count_3`
  FROM `payment-velocity-step-4`
  WINDOW `_recent` AS (PARTITION BY `user_id` ORDER BY `_at` RANGE BETWEEN INTERVAL '3599.999' SECOND(4, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `payment-velocity-step-6` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  `user_count_1m`,
  `user_count_1h`,
  `user_sum_1h`,
  `user_declined_1h`,
  `_count_1` AS `user_count_24h`,
  `_sum_2` AS `user_sum_24h`,
  `_distinct_3` AS `user_addresses_24h`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`,
    SUM(CAST(`total_amount` AS DECIMAL(20, 0))) OVER `_recent` AS `_sum_2`,
    COUNT(DISTINCT `street`) OVER `_recent` AS `_distinct_3`
  FROM `payment-velocity-step-5`
  WINDOW `_recent` AS (PARTITION BY `user_id` ORDER BY `_at` RANGE BETWEEN INTERVAL '86399.999' SECOND(5, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `payment-velocity-step-7` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  `user_count_1m`,
  `user_count_1h`,
  `user_sum_1h`,
  `user_declined_1h`,
  `user_count_24h`,
  `user_sum_24h`,
  `user_addresses_24h`,
  `_count_1` AS `card_count_1h`,
  `_count_2` AS `card_small_1h`,
  `_count_3` AS `card_declined_1h`,
  `_distinct_4` AS `card_users_1h`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`,
    COUNT(CASE WHEN (`total_amount` <= CAST(1000 AS BIGINT)) THEN 1 END) OVER `_recent` AS `_count_2`,
    COUNT(CASE WHEN (`status` = 'declined') THEN 1 END) OVER `_recent` AS `_count_3`,
    COUNT(DISTINCT `user_id`) OVER `_recent` AS `_distinct_4`
  FROM `payment-velocity-step-6`
  WINDOW `_recent` AS (PARTITION BY `card_fingerprint` ORDER BY `_at` RANGE BETWEEN INTERVAL '3599.999' SECOND(4, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `payment-velocity-step-8` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  `user_count_1m`,
  `user_count_1h`,
  `user_sum_1h`,
  `user_declined_1h`,
  `user_count_24h`,
  `user_sum_24h`,
  `user_addresses_24h`,
  `card_count_1h`,
  `card_small_1h`,
  `card_declined_1h`,
  `card_users_1h`,
  `_count_1` AS `device_count_1h`,
  `_count_2` AS `device_small_1h`,
  `_distinct_3` AS `device_cards_1h`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`,
    COUNT(CASE WHEN (`total_amount` <= CAST(1000 AS BIGINT)) THEN 1 END) OVER `_recent` AS `_count_2`,
    COUNT(DISTINCT `card_fingerprint`) OVER `_recent` AS `_distinct_3`
  FROM `payment-velocity-step-7`
  WINDOW `_recent` AS (PARTITION BY `device_id` ORDER BY `_at` RANGE BETWEEN INTERVAL '3599.999' SECOND(4, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `payment-velocity-step-9` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  `user_count_1m`,
  `user_count_1h`,
  `user_sum_1h`,
  `user_declined_1h`,
  `user_count_24h`,
  `user_sum_24h`,
  `user_addresses_24h`,
  `card_count_1h`,
  `card_small_1h`,
  `card_declined_1h`,
  `card_users_1h`,
  `device_count_1h`,
  `device_small_1h`,
  `device_cards_1h`,
  `_distinct_1` AS `device_cards_24h`,
  `_distinct_2` AS `device_users_24h`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    COUNT(DISTINCT `card_fingerprint`) OVER `_recent` AS `_distinct_1`,
    COUNT(DISTINCT `user_id`) OVER `_recent` AS `_distinct_2`
  FROM `payment-velocity-step-8`
  WINDOW `_recent` AS (PARTITION BY `device_id` ORDER BY `_at` RANGE BETWEEN INTERVAL '86399.999' SECOND(5, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `payment-velocity-step-10` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  `user_count_1m`,
  `user_count_1h`,
  `user_sum_1h`,
  `user_declined_1h`,
  `user_count_24h`,
  `user_sum_24h`,
  `user_addresses_24h`,
  `card_count_1h`,
  `card_small_1h`,
  `card_declined_1h`,
  `card_users_1h`,
  `device_count_1h`,
  `device_small_1h`,
  `device_cards_1h`,
  `device_cards_24h`,
  `device_users_24h`,
  `_count_1` AS `ip_count_1h`,
  `_distinct_2` AS `ip_users_1h`,
  `_distinct_3` AS `ip_cards_1h`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`,
    COUNT(DISTINCT `user_id`) OVER `_recent` AS `_distinct_2`,
    COUNT(DISTINCT `card_fingerprint`) OVER `_recent` AS `_distinct_3`
  FROM `payment-velocity-step-9`
  WINDOW `_recent` AS (PARTITION BY `ip_address` ORDER BY `_at` RANGE BETWEEN INTERVAL '3599.999' SECOND(4, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `payment-velocity-step-11` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  `user_count_1m`,
  `user_count_1h`,
  `user_sum_1h`,
  `user_declined_1h`,
  `user_count_24h`,
  `user_sum_24h`,
  `user_addresses_24h`,
  `card_count_1h`,
  `card_small_1h`,
  `card_declined_1h`,
  `card_users_1h`,
  `device_count_1h`,
  `device_small_1h`,
  `device_cards_1h`,
  `device_cards_24h`,
  `device_users_24h`,
  `ip_count_1h`,
  `ip_users_1h`,
  `ip_cards_1h`,
  `_distinct_1` AS `address_users_24h`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    COUNT(DISTINCT `user_id`) OVER `_recent` AS `_distinct_1`
  FROM `payment-velocity-step-10`
  WINDOW `_recent` AS (PARTITION BY `street`, `zip` ORDER BY `_at` RANGE BETWEEN INTERVAL '86399.999' SECOND(5, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY VIEW `payment-velocity-step-12` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  `user_count_1m`,
  `user_count_1h`,
  `user_sum_1h`,
  `user_declined_1h`,
  `user_count_24h`,
  `user_sum_24h`,
  `user_addresses_24h`,
  `card_count_1h`,
  `card_small_1h`,
  `card_declined_1h`,
  `card_users_1h`,
  `device_count_1h`,
  `device_small_1h`,
  `device_cards_1h`,
  `device_cards_24h`,
  `device_users_24h`,
  `ip_count_1h`,
  `ip_users_1h`,
  `ip_cards_1h`,
  `address_users_24h`,
  COALESCE(`_sum`, 0) * POWER(2, -(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 919878395904 AS DOUBLE) / 1796637492)) AS `user_spent_30d`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    SUM(`_value` * POWER(2, CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 919878395904 AS DOUBLE) / 1796637492)) OVER (PARTITION BY `user_id`, `_block` ORDER BY `_at` RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS `_sum`
  FROM (
    SELECT *, CAST(`total_amount` AS DOUBLE) / 100 AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 919878395904) AS BIGINT) + 0 AS `_block`, TRUE AS `_home` FROM `payment-velocity-step-11`
    UNION ALL
    SELECT *, CAST(`total_amount` AS DOUBLE) / 100 AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 919878395904) AS BIGINT) + 1 AS `_block`, FALSE AS `_home` FROM `payment-velocity-step-11`))
WHERE `_home`;

CREATE TEMPORARY VIEW `payment-velocity-step-13` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  `user_count_1m`,
  `user_count_1h`,
  `user_sum_1h`,
  `user_declined_1h`,
  `user_count_24h`,
  `user_sum_24h`,
  `user_addresses_24h`,
  `card_count_1h`,
  `card_small_1h`,
  `card_declined_1h`,
  `card_users_1h`,
  `device_count_1h`,
  `device_small_1h`,
  `device_cards_1h`,
  `device_cards_24h`,
  `device_users_24h`,
  `ip_count_1h`,
  `ip_users_1h`,
  `ip_cards_1h`,
  `address_users_24h`,
  `user_spent_30d`,
  COALESCE(`_sum`, 0) * POWER(2, -(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 919878395904 AS DOUBLE) / 1796637492)) AS `user_paid_30d`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    SUM(`_value` * POWER(2, CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) - `_block` * 919878395904 AS DOUBLE) / 1796637492)) OVER (PARTITION BY `user_id`, `_block` ORDER BY `_at` RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS `_sum`
  FROM (
    SELECT *, CAST(CAST(1 AS BIGINT) AS DOUBLE) AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 919878395904) AS BIGINT) + 0 AS `_block`, TRUE AS `_home` FROM `payment-velocity-step-12`
    UNION ALL
    SELECT *, CAST(CAST(1 AS BIGINT) AS DOUBLE) AS `_value`, CAST(FLOOR(CAST((UNIX_TIMESTAMP(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS DOUBLE) / 919878395904) AS BIGINT) + 1 AS `_block`, FALSE AS `_home` FROM `payment-velocity-step-12`))
WHERE `_home`;

CREATE TEMPORARY TABLE `payment-velocity-sink` (
  `timestamp` STRING,
  `transaction_id` STRING,
  `user_id` STRING,
  `total_amount` DECIMAL(38, 2),
  `payment_method` STRING,
  `status` STRING,
  `ip_address` STRING,
  `device_id` STRING,
  `card_fingerprint` STRING,
  `billing_country` STRING,
  `shipping_country` STRING,
  `ip_country` STRING,
  `seller` STRING,
  `street` STRING,
  `zip` STRING,
  `user_count_1m` DECIMAL(38, 0),
  `user_count_1h` DECIMAL(38, 0),
  `user_sum_1h` DECIMAL(38, 2),
  `user_declined_1h` DECIMAL(38, 0),
  `user_count_24h` DECIMAL(38, 0),
  `user_sum_24h` DECIMAL(38, 2),
  `user_addresses_24h` DECIMAL(38, 0),
  `card_count_1h` DECIMAL(38, 0),
  `card_small_1h` DECIMAL(38, 0),
  `card_declined_1h` DECIMAL(38, 0),
  `card_users_1h` DECIMAL(38, 0),
  `device_count_1h` DECIMAL(38, 0),
  `device_small_1h` DECIMAL(38, 0),
  `device_cards_1h` DECIMAL(38, 0),
  `device_cards_24h` DECIMAL(38, 0),
  `device_users_24h` DECIMAL(38, 0),
  `ip_count_1h` DECIMAL(38, 0),
  `ip_users_1h` DECIMAL(38, 0),
  `ip_cards_1h` DECIMAL(38, 0),
  `address_users_24h` DECIMAL(38, 0),
  `user_spent_30d` DOUBLE,
  `user_paid_30d` DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'payment-velocity',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-payment-velocity',
  'properties.transaction.timeout.ms' = '900000',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `payment-velocity-sink`
SELECT
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`timestamp`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `timestamp`,
  `transaction_id`,
  `user_id`,
  CAST(CAST(`total_amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `total_amount`,
  `payment_method`,
  `status`,
  `ip_address`,
  `device_id`,
  `card_fingerprint`,
  `billing_country`,
  `shipping_country`,
  `ip_country`,
  `seller`,
  `street`,
  `zip`,
  CAST(`user_count_1m` AS DECIMAL(38, 0)) AS `user_count_1m`,
  CAST(`user_count_1h` AS DECIMAL(38, 0)) AS `user_count_1h`,
  CAST(CAST(`user_sum_1h` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `user_sum_1h`,
  CAST(`user_declined_1h` AS DECIMAL(38, 0)) AS `user_declined_1h`,
  CAST(`user_count_24h` AS DECIMAL(38, 0)) AS `user_count_24h`,
  CAST(CAST(`user_sum_24h` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `user_sum_24h`,
  CAST(`user_addresses_24h` AS DECIMAL(38, 0)) AS `user_addresses_24h`,
  CAST(`card_count_1h` AS DECIMAL(38, 0)) AS `card_count_1h`,
  CAST(`card_small_1h` AS DECIMAL(38, 0)) AS `card_small_1h`,
  CAST(`card_declined_1h` AS DECIMAL(38, 0)) AS `card_declined_1h`,
  CAST(`card_users_1h` AS DECIMAL(38, 0)) AS `card_users_1h`,
  CAST(`device_count_1h` AS DECIMAL(38, 0)) AS `device_count_1h`,
  CAST(`device_small_1h` AS DECIMAL(38, 0)) AS `device_small_1h`,
  CAST(`device_cards_1h` AS DECIMAL(38, 0)) AS `device_cards_1h`,
  CAST(`device_cards_24h` AS DECIMAL(38, 0)) AS `device_cards_24h`,
  CAST(`device_users_24h` AS DECIMAL(38, 0)) AS `device_users_24h`,
  CAST(`ip_count_1h` AS DECIMAL(38, 0)) AS `ip_count_1h`,
  CAST(`ip_users_1h` AS DECIMAL(38, 0)) AS `ip_users_1h`,
  CAST(`ip_cards_1h` AS DECIMAL(38, 0)) AS `ip_cards_1h`,
  CAST(`address_users_24h` AS DECIMAL(38, 0)) AS `address_users_24h`,
  `user_spent_30d`,
  `user_paid_30d`
FROM `payment-velocity-step-13`;
