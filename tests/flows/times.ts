// Times of the flows: short where they lie on the flows' own day, 2026-01-01.
const dayMs = Date.UTC(2026, 0, 1)
const dayLengthMs = 86_400_000

/** `00:01:05`, `00:01:05.250`, `2026-02-01 00:00:00`, or an ISO instant; null for anything else. */
export function parseTime(text: string): number | null {
  const ms = /^\d\d:\d\d:\d\d(\.\d{1,3})?$/.test(text)
    ? Date.parse(`2026-01-01T${text}Z`)
    : /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?$/.test(text)
      ? Date.parse(`${text.replace(' ', 'T').replace(/Z$/, '')}Z`)
      : Number.NaN
  return Number.isNaN(ms) ? null : ms
}

export function timeText(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms)
  const iso = new Date(ms).toISOString().replace('T', ' ').replace('Z', '').replace('.000', '')
  return ms >= dayMs && ms < dayMs + dayLengthMs ? iso.slice(11) : iso
}
