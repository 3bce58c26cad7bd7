SET 'pipeline.name' = 'millrace purchases-by-product';
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
  'properties.group.id' = 'millrace-flink-purchases-by-product',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `purchases-by-product-source` AS
SELECT
  `transaction_id`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  `items`,
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

CREATE TEMPORARY VIEW `purchases-by-product-step-1` AS
SELECT *
FROM `purchases-by-product-source`
WHERE (`status` = 'approved');

CREATE TEMPORARY VIEW `purchases-by-product-step-2` AS
SELECT
  `transaction_id`,
  `timestamp`,
  `items`,
  `status`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `transaction_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `purchases-by-product-step-1`
  WHERE `transaction_id` IS NOT NULL)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `purchases-by-product-step-3` AS
SELECT
  r.`timestamp` AS `timestamp`,
  e.`product_id` AS `product_id`,
  CAST(e.`quantity` AS BIGINT) AS `quantity`,
  r.`_at`,
  r.`_seen`
FROM `purchases-by-product-step-2` AS r
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

CREATE TEMPORARY VIEW `purchases-by-product-step-4` AS
SELECT
  window_start,
  window_end,
  `product_id`,
  `_count_1` AS `purchases`,
  `_sum_2` AS `units`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `product_id`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`quantity` AS DECIMAL(20, 0))) AS `_sum_2`
  FROM TABLE(
    TUMBLE(TABLE `purchases-by-product-step-3`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, `product_id`, window_time);

CREATE TEMPORARY TABLE `purchases-by-product-sink` (
  `_key` STRING NOT NULL,
  `window_start` STRING,
  `window_end` STRING,
  `product_id` STRING,
  `purchases` DECIMAL(38, 0),
  `units` DECIMAL(38, 0),
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'purchases-by-product',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-purchases-by-product',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `purchases-by-product-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`product_id`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `product_id`,
  CAST(`purchases` AS DECIMAL(38, 0)) AS `purchases`,
  CAST(`units` AS DECIMAL(38, 0)) AS `units`
FROM `purchases-by-product-step-4`;
