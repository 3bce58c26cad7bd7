// ISO-8601 text as milliseconds since the epoch: the same texts as `parseInstant` takes, null for all others. DuckDB's own
// casts take more (hour 24, names of zones) and round fractions, so the form is checked and the parts are put together here.

const form =
  '\\d{4}-\\d\\d-\\d\\d[Tt ]([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d([.,]\\d+)?([Zz]|[-+]([01]\\d|2[0-3])(:?[0-5]\\d)?)?'

/** `read` is a column of text. */
export function instantSql(read: string): string {
  // Most texts look like 2026-01-31T12:00:00.000Z and need no taking apart.
  const usual = `regexp_full_match(${read}, '\\d{4}-\\d\\d-\\d\\dT([01]\\d|2[0-3]):\\d\\d:\\d\\d\\.\\d{3}Z')`
  const zone = `coalesce(upper(nullif(regexp_extract(${read}[20:], '[-+Zz].*'), '')), 'Z')`
  const seconds = `epoch_ms(TRY_CAST(${read}[:10] || ' ' || ${read}[12:19] || ${zone} AS TIMESTAMPTZ))`
  const fraction = `CAST(rpad(regexp_extract(${read}, '[.,](\\d{1,3})', 1), 3, '0') AS BIGINT)`
  return (
    `CASE WHEN ${usual} THEN epoch_ms(TRY_CAST(${read}[:23] AS TIMESTAMP))\n` +
    `    WHEN regexp_full_match(${read}, '${form}')\n` +
    `    THEN ${seconds} + ${fraction} END`
  )
}
