CREATE TEMPORARY VIEW `once-step-1` AS
SELECT
  `price`,
  `id`,
  `at`,
  `_at`,
  `_seen`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `id` ORDER BY `_seen` ASC) AS `_rank`
  FROM `once-source`
  WHERE `id` IS NOT NULL)
WHERE `_rank` = 1
UNION ALL
SELECT
  `price`,
  `id`,
  `at`,
  `_at`,
  `_seen`
FROM `once-source`
WHERE NOT (`id` IS NOT NULL);

CREATE TEMPORARY VIEW `once-step-2` AS
SELECT
  window_start,
  window_end,
  `_count_1` AS `n`,
  `_sum_2` AS `revenue`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    COUNT(*) AS `_count_1`,
    SUM(CAST(`price` AS DECIMAL(20, 0))) AS `_sum_2`
  FROM TABLE(
    TUMBLE(TABLE `once-step-1`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `once-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  CAST(`n` AS DECIMAL(38, 0)) AS `n`,
  CAST(CAST(`revenue` AS DECIMAL(31, 0)) * 0.01 AS DECIMAL(38, 2)) AS `revenue`
FROM `once-step-2`;
