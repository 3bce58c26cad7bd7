SET 'pipeline.name' = 'millrace returns-once';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';
SET 'table.exec.state.ttl' = '86400000 ms';

CREATE TEMPORARY TABLE `returns` (
  `return_id` STRING,
  `transaction_id` STRING,
  `user_id` STRING,
  `product_id` STRING,
  `quantity` DECIMAL(20, 4),
  `refund_amount` DECIMAL(22, 6),
  `reason` STRING,
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
  'topic' = 'returns',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-returns-once',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `returns-once-source` AS
SELECT
  `return_id`,
  `transaction_id`,
  `user_id`,
  CAST(`refund_amount` * 100 AS BIGINT) AS `refund_amount`,
  `reason`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  `_at`,
  PROCTIME() AS `_seen`
FROM `returns`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `return_id` IS NOT NULL
  AND `transaction_id` IS NOT NULL
  AND `user_id` IS NOT NULL
  AND `product_id` IS NOT NULL
  AND `quantity` IS NOT NULL
  AND `quantity` = FLOOR(`quantity`) AND ABS(`quantity`) <= 9007199254740991
  AND CAST(`quantity` AS BIGINT) > 0
  AND `refund_amount` IS NOT NULL
  AND `refund_amount` = ROUND(`refund_amount`, 2) AND ABS(`refund_amount`) <= 90071992547409.91
  AND CAST(`refund_amount` * 100 AS BIGINT) > 0
  AND `reason` IS NOT NULL;

CREATE TEMPORARY VIEW `returns-once-step-1` AS
SELECT
  `return_id`,
  `transaction_id`,
  `user_id`,
  `refund_amount`,
  `reason`,
  `timestamp`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `return_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `returns-once-source`
  WHERE `return_id` IS NOT NULL)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `returns-once-step-2` AS
SELECT
  `timestamp`,
  `return_id`,
  `transaction_id`,
  `user_id`,
  `refund_amount`,
  `reason`,
  `_at`,
  `_seen`
FROM `returns-once-step-1`;

CREATE TEMPORARY TABLE `returns-once-sink` (
  `timestamp` STRING,
  `return_id` STRING,
  `transaction_id` STRING,
  `user_id` STRING,
  `refund_amount` DECIMAL(38, 2),
  `reason` STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'returns-once',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-returns-once',
  'properties.transaction.timeout.ms' = '900000',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `returns-once-sink`
SELECT
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`timestamp`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `timestamp`,
  `return_id`,
  `transaction_id`,
  `user_id`,
  CAST(CAST(`refund_amount` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `refund_amount`,
  `reason`
FROM `returns-once-step-2`;
