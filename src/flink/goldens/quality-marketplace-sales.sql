SET 'pipeline.name' = 'millrace quality-marketplace-sales';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';

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
  `_arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `_at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`transaction_time`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`transaction_time`, 1, 10), ' ', SUBSTRING(`transaction_time`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`transaction_time`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `_arrival` + INTERVAL '10' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`transaction_time`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`transaction_time`, 1, 10), ' ', SUBSTRING(`transaction_time`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`transaction_time`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `_at` AS `_at` - INTERVAL '172805' SECOND(6)
) WITH (
  'connector' = 'kafka',
  'topic' = 'marketplace-sales',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-quality-marketplace-sales',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `quality-marketplace-sales-source` AS
SELECT
  `product_name`,
  CASE WHEN REGEXP(`transaction_time`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`transaction_time`, 1, 10), ' ', SUBSTRING(`transaction_time`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`transaction_time`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `transaction_time`,
  `_at`
FROM `marketplace-sales`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
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

CREATE TEMPORARY VIEW `quality-marketplace-sales-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `records`,
  `_count_2` AS `product_name`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    COUNT(`product_name`) AS `_count_2`
  FROM TABLE(
    TUMBLE(TABLE `quality-marketplace-sales-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

CREATE TEMPORARY TABLE `quality-marketplace-sales-sink` (
  `_key` STRING NOT NULL,
  `window_start` STRING,
  `window_end` STRING,
  `records` DECIMAL(38, 0),
  `product_name` DECIMAL(38, 0),
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'quality-marketplace-sales',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-quality-marketplace-sales',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `quality-marketplace-sales-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`records` AS DECIMAL(38, 0)) AS `records`,
  CAST(`product_name` AS DECIMAL(38, 0)) AS `product_name`
FROM `quality-marketplace-sales-step-1`;
