SET 'pipeline.name' = 'millrace quality-amounts';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';

CREATE TEMPORARY TABLE `orders` (
  `order_id` STRING,
  `user_id` STRING,
  `product_id` STRING,
  `amount` DECIMAL(22, 6),
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
  WATERMARK FOR `_at` AS `_at` - INTERVAL '65' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-quality-amounts',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `quality-amounts-source` AS
SELECT
  CAST(`amount` * 100 AS BIGINT) AS `amount`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  `_at`
FROM `orders`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `order_id` IS NOT NULL
  AND `user_id` IS NOT NULL
  AND `product_id` IS NOT NULL
  AND `product_id` IN ('prod-1', 'prod-2', 'prod-3', 'prod-4', 'prod-5')
  AND `amount` IS NOT NULL
  AND `amount` = ROUND(`amount`, 2) AND ABS(`amount`) <= 90071992547409.91
  AND CAST(`amount` * 100 AS BIGINT) > 0;

CREATE TEMPORARY VIEW `quality-amounts-step-1` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `records`,
  `_quantile_2` AS `d1`,
  `_quantile_3` AS `d2`,
  `_quantile_4` AS `d3`,
  `_quantile_5` AS `d4`,
  `_quantile_6` AS `d5`,
  `_quantile_7` AS `d6`,
  `_quantile_8` AS `d7`,
  `_quantile_9` AS `d8`,
  `_quantile_10` AS `d9`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    PERCENTILE(CAST(`amount` AS DOUBLE) / 100, 0.1) AS `_quantile_2`,
    PERCENTILE(CAST(`amount` AS DOUBLE) / 100, 0.2) AS `_quantile_3`,
    PERCENTILE(CAST(`amount` AS DOUBLE) / 100, 0.3) AS `_quantile_4`,
    PERCENTILE(CAST(`amount` AS DOUBLE) / 100, 0.4) AS `_quantile_5`,
    PERCENTILE(CAST(`amount` AS DOUBLE) / 100, 0.5) AS `_quantile_6`,
    PERCENTILE(CAST(`amount` AS DOUBLE) / 100, 0.6) AS `_quantile_7`,
    PERCENTILE(CAST(`amount` AS DOUBLE) / 100, 0.7) AS `_quantile_8`,
    PERCENTILE(CAST(`amount` AS DOUBLE) / 100, 0.8) AS `_quantile_9`,
    PERCENTILE(CAST(`amount` AS DOUBLE) / 100, 0.9) AS `_quantile_10`
  FROM TABLE(
    TUMBLE(TABLE `quality-amounts-source`, DESCRIPTOR(`_at`), INTERVAL '1' HOUR))
  GROUP BY window_start, window_end, window_time);

CREATE TEMPORARY TABLE `quality-amounts-sink` (
  `_key` STRING NOT NULL,
  `window_start` STRING,
  `window_end` STRING,
  `records` DECIMAL(38, 0),
  `d1` DOUBLE,
  `d2` DOUBLE,
  `d3` DOUBLE,
  `d4` DOUBLE,
  `d5` DOUBLE,
  `d6` DOUBLE,
  `d7` DOUBLE,
  `d8` DOUBLE,
  `d9` DOUBLE,
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'quality-amounts',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-quality-amounts',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `quality-amounts-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`records` AS DECIMAL(38, 0)) AS `records`,
  `d1`,
  `d2`,
  `d3`,
  `d4`,
  `d5`,
  `d6`,
  `d7`,
  `d8`,
  `d9`
FROM `quality-amounts-step-1`;
