SET 'pipeline.name' = 'millrace quality-payment-lines';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';
SET 'table.exec.state.ttl' = '3600000 ms';

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
  'properties.group.id' = 'millrace-flink-quality-payment-lines',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `quality-payment-lines-source` AS
SELECT
  `transaction_id`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  `items`,
  CAST(`total_amount` * 100 AS BIGINT) AS `total_amount`,
  COALESCE(CAST(`tax_amount` * 100 AS BIGINT), CAST(0 AS BIGINT)) AS `tax_amount`,
  COALESCE(CAST(`shipping_cost` * 100 AS BIGINT), CAST(0 AS BIGINT)) AS `shipping_cost`,
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

CREATE TEMPORARY VIEW `quality-payment-lines-step-1` AS
SELECT
  `transaction_id`,
  `timestamp`,
  `items`,
  `total_amount`,
  `tax_amount`,
  `shipping_cost`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `transaction_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `quality-payment-lines-source`
  WHERE `transaction_id` IS NOT NULL)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `quality-payment-lines-step-2` AS
SELECT
  `transaction_id`,
  `timestamp`,
  `items`,
  `total_amount`,
  `tax_amount`,
  `shipping_cost`,
  `_at`,
  `_seen`
FROM `quality-payment-lines-step-1`;

CREATE TEMPORARY VIEW `quality-payment-lines-step-3` AS
SELECT
  r.`transaction_id` AS `transaction_id`,
  r.`timestamp` AS `timestamp`,
  r.`total_amount` AS `total_amount`,
  r.`tax_amount` AS `tax_amount`,
  r.`shipping_cost` AS `shipping_cost`,
  CAST(e.`price` * 100 AS BIGINT) AS `price`,
  CAST(e.`quantity` AS BIGINT) AS `quantity`,
  CAST(e.`item_total` * 100 AS BIGINT) AS `item_total`,
  r.`_at`,
  r.`_seen`
FROM `quality-payment-lines-step-2` AS r
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

CREATE TEMPORARY VIEW `quality-payment-lines-step-4` AS
SELECT
  `transaction_id`,
  `timestamp`,
  `price`,
  `quantity`,
  `item_total`,
  `total_amount`,
  `tax_amount`,
  `shipping_cost`,
  `_at`,
  `_seen`
FROM `quality-payment-lines-step-3`;

CREATE TEMPORARY TABLE `quality-payment-lines-sink` (
  `transaction_id` STRING,
  `timestamp` STRING,
  `price` DECIMAL(38, 2),
  `quantity` DECIMAL(38, 0),
  `item_total` DECIMAL(38, 2),
  `total_amount` DECIMAL(38, 2),
  `tax_amount` DECIMAL(38, 2),
  `shipping_cost` DECIMAL(38, 2)
) WITH (
  'connector' = 'kafka',
  'topic' = 'quality-payment-lines',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-quality-payment-lines',
  'properties.transaction.timeout.ms' = '900000',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `quality-payment-lines-sink`
SELECT
  `transaction_id`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`timestamp`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `timestamp`,
  CAST(CAST(`price` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `price`,
  CAST(`quantity` AS DECIMAL(38, 0)) AS `quantity`,
  CAST(CAST(`item_total` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `item_total`,
  CAST(CAST(`total_amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `total_amount`,
  CAST(CAST(`tax_amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `tax_amount`,
  CAST(CAST(`shipping_cost` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `shipping_cost`
FROM `quality-payment-lines-step-4`;
