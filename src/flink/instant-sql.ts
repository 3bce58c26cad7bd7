// ISO-8601 text as milliseconds since the epoch in Flink SQL: what `parseInstant` takes, with any offset and fraction.
// The connector's own ISO-8601 form takes no offsets. The session's zone must be UTC (`options` of `flinkSql`). One thing
// is seen differently: a day that its month does not have (February 30) rolls over into the next one.
import { text } from './sql-text.ts'

const zone = '([+-])(\\d\\d):?(\\d\\d)?$'
const form =
  '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])[Tt ]([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d([.,]\\d+)?([Zz]|[+-]([01]\\d|2[0-3])(:?[0-5]\\d)?)?$'

/** `column` is a quoted column of text. */
export function instantSql(column: string): string {
  const seconds = `UNIX_TIMESTAMP(CONCAT(SUBSTRING(${column}, 1, 10), ' ', SUBSTRING(${column}, 12, 8)))`
  const fraction = `CAST(RPAD(COALESCE(REGEXP_EXTRACT(${column}, ${text('[.,](\\d{1,3})')}, 1), '0'), 3, '0') AS BIGINT)`
  const signed = (group: number): string =>
    `COALESCE(CAST(CONCAT(REGEXP_EXTRACT(${column}, ${text(zone)}, 1), REGEXP_EXTRACT(${column}, ${text(zone)}, ${group})) AS BIGINT), 0)`
  return (
    `CASE WHEN REGEXP(${column}, ${text(form)}) THEN\n` +
    `    ${seconds} * 1000 + ${fraction}\n` +
    `    - (${signed(2)} * 60\n` +
    `    + ${signed(3)}) * 60000 END`
  )
}
