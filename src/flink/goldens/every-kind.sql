SET 'pipeline.name' = 'millrace every-kind';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '2000 ms';

CREATE TEMPORARY TABLE `small` (
  `who` STRING,
  `whom` STRING,
  `size` DECIMAL(20, 4),
  `price` DECIMAL(22, 6),
  `open` BOOLEAN,
  `day` STRING,
  `weight` DOUBLE,
  `_at` STRING,
  `at` STRING,
  `__arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `__at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `__arrival` + INTERVAL '1' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `__at` AS `__at` - INTERVAL '2' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'small',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'millrace-flink-every-kind',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '2000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `every-kind-source` AS
SELECT
  COALESCE(`who`, `whom`) AS `who`,
  CAST(`size` AS BIGINT) AS `size`,
  CAST(`price` * 100 AS BIGINT) AS `price`,
  `open`,
  TRY_CAST(`day` AS DATE) AS `day`,
  `weight`,
  `_at`,
  CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `at`,
  `__at`
FROM `small`
WHERE `__at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND COALESCE(`who`, `whom`) IS NOT NULL
  AND (`size` IS NULL OR `size` = FLOOR(`size`) AND ABS(`size`) <= 9007199254740991)
  AND `price` IS NOT NULL
  AND `price` = ROUND(`price`, 2) AND ABS(`price`) <= 90071992547409.91
  AND CAST(`price` * 100 AS BIGINT) > 50
  AND (`day` IS NULL OR REGEXP(`day`, '^\d{4}-\d\d-\d\d$') AND TRY_CAST(`day` AS DATE) IS NOT NULL);

CREATE TEMPORARY VIEW `every-kind-step-1` AS
SELECT *
FROM `every-kind-source`
WHERE ((NOT (LEFT(`who`, 2) = 'o''')) AND (`open` OR (`size` IS NULL)));

CREATE TEMPORARY VIEW `every-kind-step-2` AS
SELECT
  `who`,
  `size`,
  `price`,
  `open`,
  `day`,
  `weight`,
  `_at`,
  `at`,
  CAST(`total` AS BIGINT) AS `total`,
  `heavy`,
  `when`,
  `__at`
FROM (
  SELECT
    `who`,
    `size`,
    `price`,
    `open`,
    `day`,
    `weight`,
    `_at`,
    `at`,
    (CAST(`price` AS DECIMAL(19, 0)) * CAST(`size` AS DECIMAL(19, 0))) AS `total`,
    (CAST(`weight` AS DOUBLE) * CAST(CAST(2 AS DOUBLE) AS DOUBLE)) AS `heavy`,
    `at` AS `when`,
    `__at`
  FROM `every-kind-step-1`)
WHERE (`total` IS NULL OR ABS(`total`) <= 9007199254740991);

CREATE TEMPORARY VIEW `every-kind-step-3` AS
SELECT
  `who`,
  `size`,
  `price`,
  `open`,
  `day`,
  `weight`,
  `_at`,
  `at`,
  `total`,
  `heavy`,
  `when`,
  CASE `who`
    WHEN 'ann' THEN 'it''s one'
    WHEN 'bob' THEN 'two' END AS `team`,
  CASE `who`
    WHEN 'ann' THEN CAST(150 AS BIGINT)
    WHEN 'bob' THEN CAST(-5 AS BIGINT) END AS `bonus`,
  `__at`
FROM `every-kind-step-2`;

CREATE TEMPORARY VIEW `every-kind-step-4` AS
SELECT
  window_start,
  window_end,
  `who`,
  `day`,
  `_at`,
  `__count_1` AS `n`,
  `__min_2` AS `least`,
  `__max_3` AS `most`,
  `__max_4` AS `newest`,
  `__min_5` AS `oldest`,
  `__sum_6` AS `total`,
  `__at`
FROM (
  SELECT
    window_start,
    window_end,
    `who`,
    `day`,
    `_at`,
    window_time AS `__at`,
    COUNT(`open`) FILTER (WHERE (`size` IN (CAST(1 AS BIGINT), CAST(2 AS BIGINT)))) AS `__count_1`,
    MIN(CAST((CAST(`price` AS DECIMAL(19, 0)) - CAST(`bonus` AS DECIMAL(19, 0))) AS BIGINT)) AS `__min_2`,
    MAX(`heavy`) AS `__max_3`,
    MAX(`when`) AS `__max_4`,
    MIN(`day`) AS `__min_5`,
    SUM(CAST(`total` AS DECIMAL(20, 0))) AS `__sum_6`
  FROM TABLE(
    TUMBLE(TABLE `every-kind-step-3`, DESCRIPTOR(`__at`), INTERVAL '7' DAY, INTERVAL '4' DAY))
  GROUP BY window_start, window_end, `who`, `day`, `_at`, window_time);

CREATE TEMPORARY TABLE `every-kind-sink` (
  `__key` STRING NOT NULL,
  `window_start` BIGINT,
  `window_end` BIGINT,
  `who` STRING,
  `day` STRING,
  `_at` STRING,
  `n` DECIMAL(38, 0),
  `least` DECIMAL(38, 2),
  `most` DOUBLE,
  `newest` BIGINT,
  `oldest` STRING,
  `total` DECIMAL(38, 2),
  `is_final` BOOLEAN,
  PRIMARY KEY (`__key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'weeks',
  'properties.bootstrap.servers' = 'kafka:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-every-kind',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `every-kind-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(UNIX_TIMESTAMP(DATE_FORMAT(`window_start`, 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(`window_start`, 'SSS') AS BIGINT)), 'null'), ',', COALESCE(JSON_STRING(UNIX_TIMESTAMP(DATE_FORMAT(`window_end`, 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(`window_end`, 'SSS') AS BIGINT)), 'null'), ',', COALESCE(JSON_STRING(`who`), 'null'), ',', COALESCE(JSON_STRING(CAST(`day` AS STRING)), 'null'), ',', COALESCE(JSON_STRING(`_at`), 'null'), ']') AS `__key`,
  UNIX_TIMESTAMP(DATE_FORMAT(`window_start`, 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(`window_start`, 'SSS') AS BIGINT) AS `window_start`,
  UNIX_TIMESTAMP(DATE_FORMAT(`window_end`, 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(`window_end`, 'SSS') AS BIGINT) AS `window_end`,
  `who`,
  CAST(`day` AS STRING) AS `day`,
  `_at`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`least` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `least`,
  `most`,
  `newest`,
  CAST(`oldest` AS STRING) AS `oldest`,
  CAST(CAST(`total` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `total`,
  TRUE AS `is_final`
FROM `every-kind-step-4`;

SET 'pipeline.name' = 'millrace append';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '2000 ms';

CREATE TEMPORARY TABLE `small` (
  `who` STRING,
  `whom` STRING,
  `size` DECIMAL(20, 4),
  `price` DECIMAL(22, 6),
  `open` BOOLEAN,
  `day` STRING,
  `weight` DOUBLE,
  `_at` STRING,
  `at` STRING,
  `__arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `__at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `__arrival` + INTERVAL '1' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `__at` AS `__at` - INTERVAL '1.500' SECOND(2, 3)
) WITH (
  'connector' = 'kafka',
  'topic' = 'small',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'millrace-flink-append',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '2000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `append-source` AS
SELECT
  COALESCE(`who`, `whom`) AS `who`,
  CAST(`size` AS BIGINT) AS `size`,
  CAST(`price` * 100 AS BIGINT) AS `price`,
  `open`,
  TRY_CAST(`day` AS DATE) AS `day`,
  `weight`,
  `_at`,
  CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `at`,
  `__at`
FROM `small`
WHERE `__at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND COALESCE(`who`, `whom`) IS NOT NULL
  AND (`size` IS NULL OR `size` = FLOOR(`size`) AND ABS(`size`) <= 9007199254740991)
  AND `price` IS NOT NULL
  AND `price` = ROUND(`price`, 2) AND ABS(`price`) <= 90071992547409.91
  AND CAST(`price` * 100 AS BIGINT) > 50
  AND (`day` IS NULL OR REGEXP(`day`, '^\d{4}-\d\d-\d\d$') AND TRY_CAST(`day` AS DATE) IS NOT NULL);

CREATE TEMPORARY VIEW `append-step-1` AS
SELECT *
FROM `append-source`
WHERE ((NOT (LEFT(`who`, 2) = 'o''')) AND (`open` OR (`size` IS NULL)));

CREATE TEMPORARY VIEW `append-step-2` AS
SELECT
  `who`,
  `size`,
  `price`,
  `open`,
  `day`,
  `weight`,
  `_at`,
  `at`,
  CAST(`total` AS BIGINT) AS `total`,
  `heavy`,
  `when`,
  `__at`
FROM (
  SELECT
    `who`,
    `size`,
    `price`,
    `open`,
    `day`,
    `weight`,
    `_at`,
    `at`,
    (CAST(`price` AS DECIMAL(19, 0)) * CAST(`size` AS DECIMAL(19, 0))) AS `total`,
    (CAST(`weight` AS DOUBLE) * CAST(CAST(2 AS DOUBLE) AS DOUBLE)) AS `heavy`,
    `at` AS `when`,
    `__at`
  FROM `append-step-1`)
WHERE (`total` IS NULL OR ABS(`total`) <= 9007199254740991);

CREATE TEMPORARY VIEW `append-step-3` AS
SELECT
  `who`,
  `size`,
  `price`,
  `open`,
  `day`,
  `weight`,
  `_at`,
  `at`,
  `total`,
  `heavy`,
  `when`,
  CASE `who`
    WHEN 'ann' THEN 'it''s one'
    WHEN 'bob' THEN 'two' END AS `team`,
  CASE `who`
    WHEN 'ann' THEN CAST(150 AS BIGINT)
    WHEN 'bob' THEN CAST(-5 AS BIGINT) END AS `bonus`,
  `__at`
FROM `append-step-2`;

CREATE TEMPORARY VIEW `append-step-4` AS
SELECT *
FROM `append-step-3`
WHERE (`total` > CAST(350 AS BIGINT));

CREATE TEMPORARY TABLE `append-sink` (
  `who` STRING,
  `size` DECIMAL(38, 0),
  `price` DECIMAL(38, 2),
  `open` BOOLEAN,
  `day` STRING,
  `weight` DOUBLE,
  `_at` STRING,
  `at` BIGINT,
  `total` DECIMAL(38, 2),
  `heavy` DOUBLE,
  `when` BIGINT,
  `team` STRING,
  `bonus` DECIMAL(38, 2)
) WITH (
  'connector' = 'kafka',
  'topic' = 'append',
  'properties.bootstrap.servers' = 'kafka:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-append',
  'properties.transaction.timeout.ms' = '900000',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `append-sink`
SELECT
  `who`,
  CAST(`size` AS DECIMAL(38, 0)) AS `size`,
  CAST(CAST(`price` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `price`,
  `open`,
  CAST(`day` AS STRING) AS `day`,
  `weight`,
  `_at`,
  CAST(FLOOR(CAST(`at` AS DECIMAL(19, 0)) / 1000) AS BIGINT) AS `at`,
  CAST(CAST(`total` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `total`,
  `heavy`,
  CAST(FLOOR(CAST(`when` AS DECIMAL(19, 0)) / 1000) AS BIGINT) AS `when`,
  `team`,
  CAST(CAST(`bonus` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `bonus`
FROM `append-step-4`;

SET 'pipeline.name' = 'millrace hops';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '2000 ms';

CREATE TEMPORARY TABLE `small` (
  `who` STRING,
  `whom` STRING,
  `size` DECIMAL(20, 4),
  `price` DECIMAL(22, 6),
  `open` BOOLEAN,
  `day` STRING,
  `weight` DOUBLE,
  `_at` STRING,
  `at` STRING,
  `__arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `__at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `__arrival` + INTERVAL '1' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `__at` AS `__at` - INTERVAL '1.500' SECOND(2, 3)
) WITH (
  'connector' = 'kafka',
  'topic' = 'small',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'millrace-flink-hops',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '2000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `hops-source` AS
SELECT
  COALESCE(`who`, `whom`) AS `who`,
  CAST(`size` AS BIGINT) AS `size`,
  CAST(`price` * 100 AS BIGINT) AS `price`,
  `open`,
  `weight`,
  CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `at`,
  `__at`
FROM `small`
WHERE `__at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND COALESCE(`who`, `whom`) IS NOT NULL
  AND (`size` IS NULL OR `size` = FLOOR(`size`) AND ABS(`size`) <= 9007199254740991)
  AND `price` IS NOT NULL
  AND `price` = ROUND(`price`, 2) AND ABS(`price`) <= 90071992547409.91
  AND CAST(`price` * 100 AS BIGINT) > 50
  AND (`day` IS NULL OR REGEXP(`day`, '^\d{4}-\d\d-\d\d$') AND TRY_CAST(`day` AS DATE) IS NOT NULL);

CREATE TEMPORARY VIEW `hops-step-1` AS
SELECT *
FROM `hops-source`
WHERE ((NOT (LEFT(`who`, 2) = 'o''')) AND (`open` OR (`size` IS NULL)));

CREATE TEMPORARY VIEW `hops-step-2` AS
SELECT
  `who`,
  `size`,
  `price`,
  `open`,
  `weight`,
  `at`,
  CAST(`total` AS BIGINT) AS `total`,
  `heavy`,
  `when`,
  `__at`
FROM (
  SELECT
    `who`,
    `size`,
    `price`,
    `open`,
    `weight`,
    `at`,
    (CAST(`price` AS DECIMAL(19, 0)) * CAST(`size` AS DECIMAL(19, 0))) AS `total`,
    (CAST(`weight` AS DOUBLE) * CAST(CAST(2 AS DOUBLE) AS DOUBLE)) AS `heavy`,
    `at` AS `when`,
    `__at`
  FROM `hops-step-1`)
WHERE (`total` IS NULL OR ABS(`total`) <= 9007199254740991);

CREATE TEMPORARY VIEW `hops-step-3` AS
SELECT
  `who`,
  `size`,
  `price`,
  `open`,
  `weight`,
  `at`,
  `total`,
  `heavy`,
  `when`,
  CASE `who`
    WHEN 'ann' THEN 'it''s one'
    WHEN 'bob' THEN 'two' END AS `team`,
  CASE `who`
    WHEN 'ann' THEN CAST(150 AS BIGINT)
    WHEN 'bob' THEN CAST(-5 AS BIGINT) END AS `bonus`,
  `__at`
FROM `hops-step-2`;

CREATE TEMPORARY VIEW `hops-step-4` AS
SELECT
  window_start,
  window_end,
  `__count_1` AS `n`,
  `__at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `__at`,
    COUNT(*) AS `__count_1`
  FROM TABLE(
    HOP(TABLE `hops-step-3`, DESCRIPTOR(`__at`), INTERVAL '0.250' SECOND(2, 3), INTERVAL '1.500' SECOND(2, 3)))
  GROUP BY window_start, window_end, window_time);

CREATE TEMPORARY TABLE `hops-sink` (
  `__key` STRING NOT NULL,
  `window_start` STRING,
  `window_end` STRING,
  `n` DECIMAL(38, 0),
  PRIMARY KEY (`__key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'hops',
  'properties.bootstrap.servers' = 'kafka:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-hops',
  'properties.transaction.timeout.ms' = '900000',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `hops-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z''')), 'null'), ']') AS `__key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z''') AS `window_end`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`
FROM `hops-step-4`;

SET 'pipeline.name' = 'millrace computed';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'table.exec.source.idle-timeout' = '2000 ms';

CREATE TEMPORARY TABLE `small` (
  `who` STRING,
  `whom` STRING,
  `size` DECIMAL(20, 4),
  `price` DECIMAL(22, 6),
  `open` BOOLEAN,
  `day` STRING,
  `weight` DOUBLE,
  `_at` STRING,
  `at` STRING,
  `__arrival` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `__at` AS CASE WHEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) <= `__arrival` + INTERVAL '1' MINUTE
    THEN TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END, 3) ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `__at` AS `__at` - INTERVAL '1.500' SECOND(2, 3)
) WITH (
  'connector' = 'kafka',
  'topic' = 'small',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'millrace-flink-computed',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '2000 ms',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TEMPORARY VIEW `computed-source` AS
SELECT
  COALESCE(`who`, `whom`) AS `who`,
  CAST(`size` AS BIGINT) AS `size`,
  CAST(`price` * 100 AS BIGINT) AS `price`,
  `open`,
  TRY_CAST(`day` AS DATE) AS `day`,
  `weight`,
  `_at`,
  CASE WHEN REGEXP(`at`, '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?$') THEN
    UNIX_TIMESTAMP(CONCAT(SUBSTRING(`at`, 1, 10), ' ', SUBSTRING(`at`, 12, 8))) * 1000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`at`, '[.,](\d{1,3})', 1), '0'), 3, '0') AS BIGINT)
    - (COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 2)) AS BIGINT), 0) * 60
    + COALESCE(CAST(CONCAT(REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 1), REGEXP_EXTRACT(`at`, '([+-])(\d\d):?(\d\d)?$', 3)) AS BIGINT), 0)) * 60000 END AS `at`,
  `__at`
FROM `small`
WHERE `__at` > TO_TIMESTAMP_LTZ(-62167219200000, 3)
  AND COALESCE(`who`, `whom`) IS NOT NULL
  AND (`size` IS NULL OR `size` = FLOOR(`size`) AND ABS(`size`) <= 9007199254740991)
  AND `price` IS NOT NULL
  AND `price` = ROUND(`price`, 2) AND ABS(`price`) <= 90071992547409.91
  AND CAST(`price` * 100 AS BIGINT) > 50
  AND (`day` IS NULL OR REGEXP(`day`, '^\d{4}-\d\d-\d\d$') AND TRY_CAST(`day` AS DATE) IS NOT NULL);

CREATE TEMPORARY VIEW `computed-step-1` AS
SELECT
  `who`,
  `size`,
  `price`,
  `open`,
  `day`,
  `weight`,
  `_at`,
  `at`,
  CAST(`each` AS BIGINT) AS `each`,
  `left_over`,
  CAST(`kind` AS BIGINT) AS `kind`,
  CAST(`low` AS BIGINT) AS `low`,
  `heavy`,
  `root`,
  `hour`,
  `day_of`,
  CAST(`later` AS BIGINT) AS `later`,
  `__at`
FROM (
  SELECT
    `who`,
    `size`,
    `price`,
    `open`,
    `day`,
    `weight`,
    `_at`,
    `at`,
    (CASE WHEN `size` <> 0 AND ABS(`price`) < 1000000000000000 AND ABS(`size`) < 100000000000000000
      THEN CASE WHEN (`price` < 0) <> (`size` < 0) THEN -1 ELSE 1 END * ((2 * ABS(CAST(`price` AS BIGINT)) * 100 + ABS(CAST(`size` AS BIGINT))) / (2 * ABS(CAST(`size` AS BIGINT)))) END) AS `each`,
    ABS((CASE WHEN CAST(3 AS BIGINT) <> 0 THEN MOD(`size`, CAST(3 AS BIGINT)) END)) AS `left_over`,
    (CASE WHEN (`size` > CAST(2 AS BIGINT)) THEN CAST(1 AS BIGINT) WHEN `open` THEN (CAST(`size` AS DECIMAL(19, 0)) * CAST(CAST(2 AS BIGINT) AS DECIMAL(19, 0))) ELSE COALESCE(`size`, CAST(0 AS BIGINT)) END) AS `kind`,
    LEAST(`size`, (CAST(`size` AS DECIMAL(19, 0)) + CAST(CAST(1 AS BIGINT) AS DECIMAL(19, 0)))) AS `low`,
    (CASE WHEN (CASE WHEN (CAST(`price` AS DOUBLE) / 100) <> 0 THEN `weight` / (CAST(`price` AS DOUBLE) / 100) END) > 0 THEN LN((CASE WHEN (CAST(`price` AS DOUBLE) / 100) <> 0 THEN `weight` / (CAST(`price` AS DOUBLE) / 100) END)) END) AS `heavy`,
    EXP((CASE WHEN `weight` >= 0 THEN SQRT(`weight`) END)) AS `root`,
    (((MOD(DAYOFWEEK(CAST(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)) AS DATE)) + 5, 7) + 1) - 1) * 24 + EXTRACT(HOUR FROM CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)))) AS `hour`,
    EXTRACT(DOY FROM `day`) AS `day_of`,
    (CAST((CAST(`at` AS DECIMAL(19, 0)) + CAST(CAST(500 AS BIGINT) AS DECIMAL(19, 0))) AS DECIMAL(19, 0)) - CAST(`at` AS DECIMAL(19, 0))) AS `later`,
    `__at`
  FROM `computed-source`)
WHERE (`each` IS NULL OR ABS(`each`) <= 9007199254740991)
  AND (`kind` IS NULL OR ABS(`kind`) <= 9007199254740991)
  AND (`low` IS NULL OR ABS(`low`) <= 9007199254740991)
  AND (`later` IS NULL OR ABS(`later`) <= 9007199254740991);

CREATE TEMPORARY TABLE `computed-sink` (
  `who` STRING,
  `size` DECIMAL(38, 0),
  `price` DECIMAL(38, 2),
  `open` BOOLEAN,
  `day` STRING,
  `weight` DOUBLE,
  `_at` STRING,
  `at` STRING,
  `each` DECIMAL(38, 4),
  `left_over` DECIMAL(38, 0),
  `kind` DECIMAL(38, 0),
  `low` DECIMAL(38, 0),
  `heavy` DOUBLE,
  `root` DOUBLE,
  `hour` DECIMAL(38, 0),
  `day_of` DECIMAL(38, 0),
  `later` DECIMAL(38, 0)
) WITH (
  'connector' = 'kafka',
  'topic' = 'computed',
  'properties.bootstrap.servers' = 'kafka:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-computed',
  'properties.transaction.timeout.ms' = '900000',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.encode.decimal-as-plain-number' = 'true'
);

INSERT INTO `computed-sink`
SELECT
  `who`,
  CAST(`size` AS DECIMAL(38, 0)) AS `size`,
  CAST(CAST(`price` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `price`,
  `open`,
  CAST(`day` AS STRING) AS `day`,
  `weight`,
  `_at`,
  DATE_FORMAT(CAST(TO_TIMESTAMP_LTZ(`at`, 3) AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `at`,
  CAST(CAST(`each` AS DECIMAL(31, 0)) * 0.0001 AS DECIMAL(38, 4)) AS `each`,
  CAST(`left_over` AS DECIMAL(38, 0)) AS `left_over`,
  CAST(`kind` AS DECIMAL(38, 0)) AS `kind`,
  CAST(`low` AS DECIMAL(38, 0)) AS `low`,
  `heavy`,
  `root`,
  CAST(`hour` AS DECIMAL(38, 0)) AS `hour`,
  CAST(`day_of` AS DECIMAL(38, 0)) AS `day_of`,
  CAST(`later` AS DECIMAL(38, 0)) AS `later`
FROM `computed-step-1`;
