SET 'pipeline.name' = 'millrace marketplace-arrivals';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';
SET 'table.exec.state.ttl' = '345600000 ms';

CREATE TEMPORARY TABLE `marketplace-sales` (
  `transaction_id` STRING,
  `marketplace` STRING,
  `product_id` STRING,
  `product_name` STRING,
  `amount` DECIMAL(22, 6),
  `quantity` DECIMAL(20, 4),
  `transaction_time` STRING,
  `batch_id` STRING,
  `record_number` DECIMAL(20, 4),
  `demo` STRING,
  `__arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `__at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`transaction_time`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`transaction_time`, 1, 10), ' ', SUBSTRING(`transaction_time`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`transaction_time`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `__arrival` + INTERVAL '10' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`transaction_time`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`transaction_time`, 1, 10), ' ', SUBSTRING(`transaction_time`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`transaction_time`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `__at` AS `__at` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'marketplace-sales',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-marketplace-arrivals',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `marketplace-arrivals-source` AS
SELECT
  `transaction_id`,
  `marketplace`,
  CASE WHEN REGEXP(`transaction_time`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`transaction_time`, 1, 10), ' ', SUBSTRING(`transaction_time`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`transaction_time`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `transaction_time`,
  `batch_id`,
  CAST(`record_number` AS BIGINT) AS `record_number`,
  (UNIX_TIMESTAMP(DATE_FORMAT(CAST(`__arrival` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(CAST(`__arrival` AS TIMESTAMP(3)), 'SSS') AS BIGINT)) AS `_arrival`,
  JSON_VALUE(`demo`, '$.pattern') AS `demo.pattern`,
  `__at`,
  PROCTIME() AS `__seen`
FROM `marketplace-sales`
WHERE `__at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `transaction_id` IS NOT NULL
  AND `marketplace` IS NOT NULL
  AND `product_id` IS NOT NULL
  AND `amount` IS NOT NULL
  AND `amount` = ROUND(`amount`, 2) AND ABS(`amount`) <= 90071992547409.91
  AND CAST(`amount` * 100 AS BIGINT) > 0
  AND (`quantity` IS NULL OR `quantity` = FLOOR(`quantity`) AND ABS(`quantity`) <= 9007199254740991)
  AND COALESCE(CAST(`quantity` AS BIGINT), CAST(1 AS BIGINT)) > 0
  AND (`record_number` IS NULL OR `record_number` = FLOOR(`record_number`) AND ABS(`record_number`) <= 9007199254740991)
  AND (`record_number` IS NULL OR CAST(`record_number` AS BIGINT) > 0);

CREATE TEMPORARY VIEW `marketplace-arrivals-step-1` AS
SELECT
  `transaction_id`,
  `marketplace`,
  `transaction_time`,
  `_arrival`,
  `demo.pattern`,
  `batch_id`,
  `record_number`,
  `__at`,
  `__seen`
FROM `marketplace-arrivals-source`;

CREATE TEMPORARY VIEW `marketplace-arrivals-step-2` AS
SELECT
  `transaction_id`,
  `marketplace`,
  `transaction_time`,
  `_arrival` AS `arrived_at`,
  `demo.pattern` AS `demo_pattern`,
  `batch_id`,
  `record_number`,
  `__at`,
  `__seen`
FROM `marketplace-arrivals-step-1`;

CREATE TEMPORARY VIEW `marketplace-arrivals-step-3` AS
SELECT
  `transaction_id`,
  `marketplace`,
  `transaction_time`,
  `arrived_at`,
  `demo_pattern`,
  `batch_id`,
  `record_number`,
  `__at`,
  `__seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `transaction_id` ORDER BY `__seen` ASC) AS `__rank`
  FROM `marketplace-arrivals-step-2`
  WHERE `transaction_id` IS NOT NULL)
WHERE `__rank` = 1;

CREATE TEMPORARY TABLE `marketplace-arrivals-sink` (
  `transaction_id` STRING,
  `marketplace` STRING,
  `transaction_time` STRING,
  `arrived_at` STRING,
  `demo_pattern` STRING,
  `batch_id` STRING,
  `record_number` DECIMAL(38, 0)
) WITH (
  'connector' = 'kafka',
  'topic' = 'marketplace-arrivals',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-marketplace-arrivals',
  'properties.transaction.timeout.ms' = '900000',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `marketplace-arrivals-sink`
SELECT
  `transaction_id`,
  `marketplace`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`transaction_time`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `transaction_time`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`arrived_at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `arrived_at`,
  `demo_pattern`,
  `batch_id`,
  CAST(`record_number` AS DECIMAL(38, 0)) AS `record_number`
FROM `marketplace-arrivals-step-3`;
