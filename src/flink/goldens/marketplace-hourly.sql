SET 'pipeline.name' = 'millrace marketplace-hourly';
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
  'properties.group.id' = 'millrace-flink-marketplace-hourly',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `marketplace-hourly-source` AS
SELECT
  `transaction_id`,
  `marketplace`,
  CAST(`amount` * 100 AS BIGINT) AS `amount`,
  COALESCE(CAST(`quantity` AS BIGINT), CAST(1 AS BIGINT)) AS `quantity`,
  CASE WHEN REGEXP(`transaction_time`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`transaction_time`, 1, 10), ' ', SUBSTRING(`transaction_time`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`transaction_time`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`transaction_time`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `transaction_time`,
  `_at`,
  PROCTIME() AS `_seen`
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

CREATE TEMPORARY VIEW `marketplace-hourly-step-1` AS
SELECT
  `transaction_id`,
  `marketplace`,
  `amount`,
  `quantity`,
  `transaction_time`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `transaction_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `marketplace-hourly-source`
  WHERE `transaction_id` IS NOT NULL)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `marketplace-hourly-step-2` AS
SELECT
  window_start,
  window_end,
  `marketplace`,
  `_count_1` AS `sales`,
  `_sum_2` AS `units`,
  `_sum_3` AS `revenue`,
  CASE WHEN `_count_4` <> 0 AND ABS(`_sum_3`) < 100000000000000000 AND ABS(`_count_4`) < 100000000000000000
    THEN CASE WHEN (`_sum_3` < 0) <> (`_count_4` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`_sum_3` AS BIGINT)) + ABS(CAST(`_count_4` AS BIGINT))) / (2 * ABS(CAST(`_count_4` AS BIGINT)))) END AS `avg_sale`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    `marketplace`,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`quantity` AS DECIMAL(20, 0))) AS `_sum_2`,
    SUM(CAST(`amount` AS DECIMAL(20, 0))) AS `_sum_3`,
    COUNT(`amount`) AS `_count_4`
  FROM TABLE(
    TUMBLE(TABLE `marketplace-hourly-step-1`, DESCRIPTOR(`_at`), INTERVAL '1' HOUR))
  GROUP BY window_start, window_end, `marketplace`, window_time);

CREATE TEMPORARY TABLE `marketplace-hourly-sink` (
  `_key` STRING NOT NULL,
  `window_start` STRING,
  `window_end` STRING,
  `marketplace` STRING,
  `sales` DECIMAL(38, 0),
  `units` DECIMAL(38, 0),
  `revenue` DECIMAL(38, 2),
  `avg_sale` DECIMAL(38, 2),
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'marketplace-hourly',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-marketplace-hourly',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `marketplace-hourly-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(`marketplace`), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `marketplace`,
  CAST(`sales` AS DECIMAL(38, 0)) AS `sales`,
  CAST(`units` AS DECIMAL(38, 0)) AS `units`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`,
  CAST(CAST(`avg_sale` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `avg_sale`
FROM `marketplace-hourly-step-2`;
