// Exact decimals as integers at a scale: from text and numbers, to text, and the one division that rounds. No float maths.

/** What does not fit: null is returned by the readers instead, with the kind of misfit told by `decimalFault`. */
export type DecimalFault = 'not-a-number' | 'scale' | 'range'

/**
 * Reads decimal text (`-12.50`, `1e3`, `2.50E1`) as an integer at `scale`. Digits beyond the scale must be zeros.
 * Returns the integer, or the fault: `scale` (more decimals than it has) or `range` (beyond 2^53).
 */
export function minorFromText(text: string, scale: number): number | DecimalFault {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (!match) return 'not-a-number'
  const whole = match[2] ?? ''
  const fraction = match[3] ?? ''
  const exponent = match[4] === undefined ? 0 : Number(match[4])
  let digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return 0
  let shift = exponent - fraction.length + scale
  if (shift > 30) return 'range'
  if (shift < 0) {
    const tail = digits.slice(Math.max(0, digits.length + shift))
    if (-shift > digits.length || /[^0]/.test(tail)) return 'scale'
    digits = digits.slice(0, digits.length + shift)
    shift = 0
  }
  if (digits.length + shift > 16) return 'range'
  const value = Number(digits + '0'.repeat(shift))
  if (!Number.isSafeInteger(value)) return 'range'
  return match[1] === '-' ? 0 - value : value
}

/** A double as an integer at `scale`, by the shortest decimal text that reads back as that double. */
export function minorFromNumber(value: number, scale: number): number | DecimalFault {
  if (Number.isInteger(value)) {
    const minor = value * 10 ** scale
    return Number.isSafeInteger(value) && Number.isSafeInteger(minor) ? minor + 0 : 'range'
  }
  // Most prices: exact if the rounded candidate prints as the same number.
  const candidate = Math.round(value * 10 ** scale)
  if (candidate < 1e12 && candidate > -1e12 && candidate / 10 ** scale === value) return candidate
  return minorFromText(String(value), scale)
}

/** `12.50` for 1250 at scale 2. */
export function decimalText(minor: number | bigint, scale: number): string {
  const negative = minor < 0
  const digits = (negative ? -minor : minor).toString()
  if (scale === 0) return negative ? `-${digits}` : digits
  const padded = digits.padStart(scale + 1, '0')
  const text = `${padded.slice(0, -scale)}.${padded.slice(-scale)}`
  return negative ? `-${text}` : text
}

/** `12.5` for 1250 at scale 2, `12` for 1200: the text of the JSON number. */
export function decimalJson(minor: number | bigint, scale: number): string {
  const text = decimalText(minor, scale)
  if (scale === 0) return text
  let end = text.length
  while (text.charCodeAt(end - 1) === 48) end--
  if (text.charCodeAt(end - 1) === 46) end--
  return text.slice(0, end)
}

/** numerator * 10^shift / denominator, rounded half away from zero; exact. Denominator above 0. */
export function dividedHalfAway(numerator: bigint, denominator: bigint, shift: number): bigint {
  const scaled = shift >= 0 ? numerator * 10n ** BigInt(shift) : numerator
  const by = shift >= 0 ? denominator : denominator * 10n ** BigInt(-shift)
  const negative = scaled < 0n
  const magnitude = negative ? -scaled : scaled
  const rounded = (2n * magnitude + by) / (2n * by)
  return negative ? -rounded : rounded
}
