SET 'pipeline.name' = 'millrace quality-ecommerce-customers';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';

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
  WATERMARK FOR `_at` AS `_at` - INTERVAL '65' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'ecommerce_customers',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-quality-ecommerce-customers',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `quality-ecommerce-customers-source` AS
SELECT
  `email`,
  `phone`,
  CASE WHEN REGEXP(`updated_at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`updated_at`, 1, 10), ' ', SUBSTRING(`updated_at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`updated_at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`updated_at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `updated_at`,
  `_at`
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

CREATE TEMPORARY VIEW `quality-ecommerce-customers-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `records`,
  `_count_2` AS `email`,
  `_count_3` AS `phone`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    COUNT(`email`) AS `_count_2`,
    COUNT(`phone`) AS `_count_3`
  FROM TABLE(
    TUMBLE(TABLE `quality-ecommerce-customers-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

CREATE TEMPORARY TABLE `quality-ecommerce-customers-sink` (
  `_key` STRING NOT NULL,
  `window_start` STRING,
  `window_end` STRING,
  `records` DECIMAL(38, 0),
  `email` DECIMAL(38, 0),
  `phone` DECIMAL(38, 0),
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'quality-ecommerce-customers',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-quality-ecommerce-customers',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `quality-ecommerce-customers-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`records` AS DECIMAL(38, 0)) AS `records`,
  CAST(`email` AS DECIMAL(38, 0)) AS `email`,
  CAST(`phone` AS DECIMAL(38, 0)) AS `phone`
FROM `quality-ecommerce-customers-step-1`;
