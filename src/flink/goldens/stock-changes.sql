SET 'pipeline.name' = 'millrace stock-changes';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '30000 ms';
SET 'table.exec.state.ttl' = '3600000 ms';

CREATE TEMPORARY TABLE `inventory-updates` (
  `event_id` STRING,
  `event_type` STRING,
  `product_id` STRING,
  `product_name` STRING,
  `stock_change` DECIMAL(20, 4),
  `current_stock` DECIMAL(20, 4),
  `warehouse_location` STRING,
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
  'topic' = 'inventory-updates',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'millrace-flink-stock-changes',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '30000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `stock-changes-source` AS
SELECT
  `event_id`,
  `product_id`,
  `product_name`,
  CAST(`stock_change` AS BIGINT) AS `stock_change`,
  CAST(`current_stock` AS BIGINT) AS `current_stock`,
  `warehouse_location`,
  CASE WHEN REGEXP(`timestamp`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`timestamp`, 1, 10), ' ', SUBSTRING(`timestamp`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`timestamp`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`timestamp`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `timestamp`,
  `_at`,
  PROCTIME() AS `_seen`
FROM `inventory-updates`
WHERE `_at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND `event_id` IS NOT NULL
  AND COALESCE(`event_type`, 'inventory_update') IN ('inventory_update')
  AND `product_id` IS NOT NULL
  AND `product_name` IS NOT NULL
  AND `stock_change` IS NOT NULL
  AND `stock_change` = FLOOR(`stock_change`) AND ABS(`stock_change`) <= 9007199254740991
  AND `current_stock` IS NOT NULL
  AND `current_stock` = FLOOR(`current_stock`) AND ABS(`current_stock`) <= 9007199254740991
  AND CAST(`current_stock` AS BIGINT) >= 0
  AND `warehouse_location` IS NOT NULL;

CREATE TEMPORARY VIEW `stock-changes-step-1` AS
SELECT
  `event_id`,
  `product_id`,
  `product_name`,
  `stock_change`,
  `current_stock`,
  `warehouse_location`,
  `timestamp`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `event_id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `stock-changes-source`
  WHERE `event_id` IS NOT NULL)
WHERE `_rank` = 1;

CREATE TEMPORARY VIEW `stock-changes-step-2` AS
SELECT
  `timestamp`,
  `product_id`,
  `product_name`,
  `warehouse_location`,
  `stock_change`,
  `current_stock`,
  `_at`,
  `_seen`
FROM `stock-changes-step-1`;

CREATE TEMPORARY TABLE `stock-changes-sink` (
  `timestamp` STRING,
  `product_id` STRING,
  `product_name` STRING,
  `warehouse_location` STRING,
  `stock_change` DECIMAL(38, 0),
  `current_stock` DECIMAL(38, 0)
) WITH (
  'connector' = 'kafka',
  'topic' = 'stock-changes',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-stock-changes',
  'properties.transaction.timeout.ms' = '900000',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `stock-changes-sink`
SELECT
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`timestamp`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `timestamp`,
  `product_id`,
  `product_name`,
  `warehouse_location`,
  CAST(`stock_change` AS DECIMAL(38, 0)) AS `stock_change`,
  CAST(`current_stock` AS DECIMAL(38, 0)) AS `current_stock`
FROM `stock-changes-step-2`;
