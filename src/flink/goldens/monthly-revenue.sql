SET 'pipeline.name' = 'millrace monthly-revenue';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';

CREATE TEMPORARY TABLE `online-retail` (
  `invoice_no` STRING,
  `stock_code` STRING,
  `description` STRING,
  `quantity` DECIMAL(20, 4),
  `invoice_date` STRING,
  `unit_price` DECIMAL(23, 7),
  `customer_id` STRING,
  `country` STRING,
  `_arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `_at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`invoice_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`invoice_date`, 1, 10), ' ', SUBSTRING(`invoice_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`invoice_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `_arrival` + INTERVAL '10' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`invoice_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`invoice_date`, 1, 10), ' ', SUBSTRING(`invoice_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`invoice_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `_at` AS `_at` - INTERVAL '1' MINUTE
) WITH (
  'connector' = 'kafka',
  'topic' = 'online-retail',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-monthly-revenue',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `monthly-revenue-source` AS
SELECT
  `invoice_no`,
  CAST(`quantity` AS BIGINT) AS `quantity`,
  CASE WHEN REGEXP(`invoice_date`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`invoice_date`, 1, 10), ' ', SUBSTRING(`invoice_date`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`invoice_date`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`invoice_date`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `invoice_date`,
  CAST(`unit_price` * 1000 AS BIGINT) AS `unit_price`,
  `_at`
FROM `online-retail`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `invoice_no` IS NOT NULL
  AND `stock_code` IS NOT NULL
  AND `quantity` IS NOT NULL
  AND `quantity` = FLOOR(`quantity`) AND ABS(`quantity`) <= 9007199254740991
  AND `unit_price` IS NOT NULL
  AND `unit_price` = ROUND(`unit_price`, 3) AND ABS(`unit_price`) <= 9007199254740.991
  AND `country` IS NOT NULL;

CREATE TEMPORARY VIEW `monthly-revenue-step-1` AS
SELECT *
FROM `monthly-revenue-source`
WHERE (((NOT (LEFT(`invoice_no`, 1) = 'C')) AND (`quantity` > CAST(0 AS BIGINT))) AND (`unit_price` > CAST(0 AS BIGINT)));

CREATE TEMPORARY VIEW `monthly-revenue-step-2` AS
SELECT
  `invoice_no`,
  `quantity`,
  `invoice_date`,
  `unit_price`,
  CAST(`value` AS BIGINT) AS `value`,
  `_at`
FROM (
  SELECT
    `invoice_no`,
    `quantity`,
    `invoice_date`,
    `unit_price`,
    (CAST(`unit_price` AS DECIMAL(19, 0)) * CAST(`quantity` AS DECIMAL(19, 0))) AS `value`,
    `_at`
  FROM `monthly-revenue-step-1`)
WHERE (`value` IS NULL OR ABS(`value`) <= 9007199254740991);

CREATE TEMPORARY VIEW `monthly-revenue-step-3` AS
SELECT
  window_start,
  window_end,
  `_sum_1` AS `gross`
FROM (
  SELECT
    CAST(CONCAT(CAST(CAST(CONCAT(SUBSTRING(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss'), 1, 7), '-01') AS DATE) AS STRING), ' 00:00:00') AS TIMESTAMP(3)) AS window_start,
    CAST(CONCAT(CAST(TIMESTAMPADD(MONTH, 1, CAST(CONCAT(SUBSTRING(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss'), 1, 7), '-01') AS DATE)) AS STRING), ' 00:00:00') AS TIMESTAMP(3)) AS window_end,
    SUM(CAST(`value` AS DECIMAL(20, 0))) AS `_sum_1`
  FROM `monthly-revenue-step-2`
  GROUP BY CAST(CONCAT(SUBSTRING(DATE_FORMAT(CAST(`_at` AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss'), 1, 7), '-01') AS DATE));

CREATE TEMPORARY TABLE `monthly-revenue-sink` (
  `_key` STRING NOT NULL,
  `window_start` STRING,
  `window_end` STRING,
  `gross` DECIMAL(38, 3),
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'monthly-revenue',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-monthly-revenue',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `monthly-revenue-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(CAST(`gross` AS DECIMAL(31, 0)) * 0.001 AS DECIMAL(38, 3)) AS `gross`
FROM `monthly-revenue-step-3`;
