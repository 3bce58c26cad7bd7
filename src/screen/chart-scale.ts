// The arithmetic of the line chart: round ticks, positions, the path.

/** Ticks from 0 by a round step (1, 2, 3 or 5 times a power of ten), the last at or above `max`; `count` or a few less. */
export function ticksTo(max: number, count: number): number[] {
  const rough = Math.max(max, 1) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const times = [1, 2, 3, 5, 10].find((each) => each * power >= rough) ?? 10
  // Fractions of a sale do not exist.
  const step = Math.max(1, times * power)
  const ticks = [0]
  while (ticks.at(-1)! < max || ticks.length < 2) ticks.push(ticks.length * step)
  return ticks
}

/** Whole minutes in the half-open range, every `stepMs`. */
export function minutesIn(startMs: number, endMs: number, stepMs: number): number[] {
  const marks: number[] = []
  for (let at = Math.ceil(startMs / stepMs) * stepMs; at < endMs; at += stepMs) marks.push(at)
  return marks
}

/** One point per value, evenly from `left` to `right`; `top` is where `max` lies, `bottom` where 0 does. */
export function linePath(
  values: Float64Array,
  max: number,
  left: number,
  right: number,
  top: number,
  bottom: number,
): string {
  const step = (right - left) / Math.max(1, values.length - 1)
  let path = ''
  for (let i = 0; i < values.length; i++) {
    const x = left + i * step
    const y = bottom - (values[i]! / max) * (bottom - top)
    path += `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
  }
  return path
}
