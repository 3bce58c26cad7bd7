SET 'pipeline.name' = 'millrace visitor-acts';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';
SET 'table.exec.state.ttl' = '3600000 ms';

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
  WATERMARK FOR `_at` AS `_at` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'user-events',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-visitor-acts',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `visitor-acts-source-user-events` AS
SELECT
  `event_id`,
  `user_id`,
  `event_type`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  `product_id`,
  `category`,
  CAST(`price` * 100 AS BIGINT) AS `price`,
  `session_id`,
  `ip_address`,
  `_at`,
  PROCTIME() AS `_seen`
FROM `user-events`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `event_id` IS NOT NULL
  AND `user_id` IS NOT NULL
  AND `event_type` IS NOT NULL
  AND `event_type` IN ('product_view', 'add_to_cart', 'search', 'login', 'login_failed')
  AND (`price` IS NULL OR `price` = ROUND(`price`, 2) AND ABS(`price`) <= 90071992547409.91)
  AND (`price` IS NULL OR CAST(`price` * 100 AS BIGINT) >= 0)
  AND `session_id` IS NOT NULL;

CREATE TEMPORARY VIEW `visitor-acts-step-1` AS
SELECT
  `event_id`,
  `user_id`,
  `event_type`,
  `timestamp`,
  `product_id`,
  `category`,
  `price`,
  `session_id`,
  `ip_address`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `event_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `visitor-acts-source-user-events`
  WHERE `event_id` IS NOT NULL)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `visitor-acts-step-2` AS
SELECT
  `event_id`,
  `user_id`,
  `event_type`,
  `timestamp`,
  `product_id`,
  `category`,
  `price`,
  `session_id`,
  `ip_address`,
  CAST(1 AS BIGINT) AS `quantity`,
  `_at`,
  `_seen`
FROM `visitor-acts-step-1`;

CREATE TEMPORARY VIEW `visitor-acts-step-3` AS
SELECT
  `timestamp`,
  `event_id`,
  `user_id`,
  `session_id`,
  `event_type`,
  `product_id`,
  `category`,
  `price`,
  `quantity`,
  `ip_address`,
  `_at`,
  `_seen`
FROM `visitor-acts-step-2`;

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
  `items` ARRAY<ROW<`product_id` STRING, `product_name` STRING, `price` DECIMAL(22, 6), `quantity` DECIMAL(20, 4), `item_total` DECIMAL(22, 6)>>,
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
  'properties.group.id' = 'millrace-flink-visitor-acts',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `visitor-acts-source-transactions` AS
SELECT
  `transaction_id`,
  `user_id`,
  COALESCE(`event_type`, 'purchase') AS `event_type`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  `items`,
  `session_id`,
  `ip_address`,
  COALESCE(`status`, 'approved') AS `status`,
  `_at`,
  PROCTIME() AS `_seen`
FROM `transactions`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `transaction_id` IS NOT NULL
  AND `user_id` IS NOT NULL
  AND COALESCE(`event_type`, 'purchase') IN ('purchase')
  AND `payment_method` IS NOT NULL
  AND `items` IS NOT NULL
  AND `total_amount` IS NOT NULL
  AND `total_amount` = ROUND(`total_amount`, 2) AND ABS(`total_amount`) <= 90071992547409.91
  AND CAST(`total_amount` * 100 AS BIGINT) > 0
  AND (`tax_amount` IS NULL OR `tax_amount` = ROUND(`tax_amount`, 2) AND ABS(`tax_amount`) <= 90071992547409.91)
  AND COALESCE(CAST(`tax_amount` * 100 AS BIGINT), CAST(0 AS BIGINT)) >= 0
  AND (`shipping_cost` IS NULL OR `shipping_cost` = ROUND(`shipping_cost`, 2) AND ABS(`shipping_cost`) <= 90071992547409.91)
  AND COALESCE(CAST(`shipping_cost` * 100 AS BIGINT), CAST(0 AS BIGINT)) >= 0
  AND COALESCE(`status`, 'approved') IN ('approved', 'declined');

CREATE TEMPORARY VIEW `visitor-acts-step-4` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `session_id`,
  `event_type`,
  `ip_address`,
  `status`,
  `items`,
  `_at`,
  `_seen`
FROM `visitor-acts-source-transactions`;

CREATE TEMPORARY VIEW `visitor-acts-step-5` AS
SELECT *
FROM `visitor-acts-step-4`
WHERE (`status` = 'approved');

CREATE TEMPORARY VIEW `visitor-acts-step-6` AS
SELECT
  `timestamp`,
  `transaction_id`,
  `user_id`,
  `session_id`,
  `event_type`,
  `ip_address`,
  `status`,
  `items`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `transaction_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `visitor-acts-step-5`
  WHERE `transaction_id` IS NOT NULL)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `visitor-acts-step-7` AS
SELECT
  r.`timestamp` AS `timestamp`,
  r.`transaction_id` AS `transaction_id`,
  r.`user_id` AS `user_id`,
  r.`session_id` AS `session_id`,
  r.`event_type` AS `event_type`,
  r.`ip_address` AS `ip_address`,
  r.`status` AS `status`,
  e.`product_id` AS `product_id`,
  e.`product_name` AS `product_name`,
  CAST(e.`price` * 100 AS BIGINT) AS `price`,
  CAST(e.`quantity` AS BIGINT) AS `quantity`,
  CAST(e.`item_total` * 100 AS BIGINT) AS `item_total`,
  r.`_at`,
  r.`_seen`
FROM `visitor-acts-step-6` AS r
CROSS JOIN UNNEST(r.`items`) AS e (`product_id`, `product_name`, `price`, `quantity`, `item_total`)
WHERE e.`product_id` IS NOT NULL
  AND e.`product_name` IS NOT NULL
  AND e.`price` IS NOT NULL
  AND e.`price` = ROUND(e.`price`, 2) AND ABS(e.`price`) <= 90071992547409.91
  AND CAST(e.`price` * 100 AS BIGINT) >= 0
  AND e.`quantity` IS NOT NULL
  AND e.`quantity` = FLOOR(e.`quantity`) AND ABS(e.`quantity`) <= 9007199254740991
  AND CAST(e.`quantity` AS BIGINT) > 0
  AND e.`item_total` IS NOT NULL
  AND e.`item_total` = ROUND(e.`item_total`, 2) AND ABS(e.`item_total`) <= 90071992547409.91;

CREATE TEMPORARY VIEW `visitor-acts-step-8` AS
SELECT
  `timestamp`,
  `transaction_id` AS `event_id`,
  `user_id`,
  `session_id`,
  `event_type`,
  `ip_address`,
  `status`,
  `product_id`,
  `product_name`,
  `price`,
  `quantity`,
  `item_total`,
  `_at`,
  `_seen`
FROM `visitor-acts-step-7`;

CREATE TEMPORARY VIEW `visitor-acts-step-9` AS
SELECT
  `timestamp`,
  `event_id`,
  `user_id`,
  `session_id`,
  `event_type`,
  `ip_address`,
  `status`,
  `product_id`,
  `product_name`,
  `price`,
  `quantity`,
  `item_total`,
  (CASE WHEN (`quantity` < CAST(0 AS BIGINT)) THEN `product_id` ELSE CAST(NULL AS STRING) END) AS `category`,
  `_at`,
  `_seen`
FROM `visitor-acts-step-8`;

CREATE TEMPORARY VIEW `visitor-acts-step-10` AS
SELECT
  `timestamp`,
  `event_id`,
  `user_id`,
  `session_id`,
  `event_type`,
  `product_id`,
  `category`,
  `price`,
  `quantity`,
  `ip_address`,
  `_at`,
  `_seen`
FROM `visitor-acts-step-9`;

CREATE TEMPORARY VIEW `visitor-acts-step-11` AS
SELECT
  `timestamp`,
  `event_id`,
  `user_id`,
  `session_id`,
  `event_type`,
  `product_id`,
  `category`,
  `price`,
  `quantity`,
  `ip_address`,
  `_at`,
  `_seen`
FROM `visitor-acts-step-3`
UNION ALL
SELECT
  `timestamp`,
  `event_id`,
  `user_id`,
  `session_id`,
  `event_type`,
  `product_id`,
  `category`,
  `price`,
  `quantity`,
  `ip_address`,
  `_at`,
  `_seen`
FROM `visitor-acts-step-10`;

CREATE TEMPORARY VIEW `visitor-acts-step-12` AS
SELECT
  `timestamp`,
  `event_id`,
  `user_id`,
  `session_id`,
  `event_type`,
  `product_id`,
  `category`,
  `price`,
  `quantity`,
  `ip_address`,
  `_count_1` AS `session_acts_1m`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    COUNT(*) OVER `_recent` AS `_count_1`
  FROM `visitor-acts-step-11`
  WINDOW `_recent` AS (PARTITION BY `session_id` ORDER BY `_at` RANGE BETWEEN INTERVAL '59.999' SECOND(2, 3) PRECEDING AND CURRENT ROW));

CREATE TEMPORARY TABLE `visitor-acts-sink` (
  `timestamp` STRING,
  `event_id` STRING,
  `user_id` STRING,
  `session_id` STRING,
  `event_type` STRING,
  `product_id` STRING,
  `category` STRING,
  `price` DECIMAL(38, 2),
  `quantity` DECIMAL(38, 0),
  `ip_address` STRING,
  `session_acts_1m` DECIMAL(38, 0)
) WITH (
  'connector' = 'kafka',
  'topic' = 'visitor-acts',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-visitor-acts',
  'properties.transaction.timeout.ms' = '900000',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `visitor-acts-sink`
SELECT
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`timestamp`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `timestamp`,
  `event_id`,
  `user_id`,
  `session_id`,
  `event_type`,
  `product_id`,
  `category`,
  CAST(CAST(`price` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `price`,
  CAST(`quantity` AS DECIMAL(38, 0)) AS `quantity`,
  `ip_address`,
  CAST(`session_acts_1m` AS DECIMAL(38, 0)) AS `session_acts_1m`
FROM `visitor-acts-step-12`;
