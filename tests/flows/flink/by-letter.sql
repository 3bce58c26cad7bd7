CREATE TEMPORARY VIEW `by-letter-step-1` AS
SELECT
  window_start,
  window_end,
  `_min_1` AS `first`,
  `_max_2` AS `last`,
  `_max_3` AS `any`,
  `_min_4` AS `web`,
  `_at`
FROM (
  SELECT
    window_start,
    window_end,
    window_time AS `_at`,
    MIN(`seller`) AS `_min_1`,
    MAX(`seller`) AS `_max_2`,
    MAX(`paid`) AS `_max_3`,
    MIN(`product`) FILTER (WHERE `paid`) AS `_min_4`
  FROM TABLE(
    TUMBLE(TABLE `by-letter-source`, DESCRIPTOR(`_at`), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, window_time);

INSERT INTO `by-letter-sink`
SELECT
  CONCAT('[', COALESCE(JSON_STRING(DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ',', COALESCE(JSON_STRING(DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''')), 'null'), ']') AS `_key`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_start`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd''T''HH:mm:ss''Z''') AS `window_end`,
  `first`,
  `last`,
  `any`,
  `web`
FROM `by-letter-step-1`;
