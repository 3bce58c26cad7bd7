// Where things lie in the encoder's memory, and what its program is made of. Read by both sides: AssemblyScript compiles it
// in, TypeScript writes by it.
//
//   0          the compiler's own (no data of ours)
//   64 KiB     10^0 … 10^16 as u64, then 10^0 … 10^22 as f64
//   128 KiB    the program: PROGRAM_STEPS_MAX steps of STEP_BYTES
//   256 KiB    texts that come again and again, as JSON
//   2304 KiB   of one call: columns, texts, tables, then the rows and their ends; grows
//
// A row is written step by step: first a step's literal (`,"name":`), then the value it is about.
//
// Changing this needs another ENCODER_VERSION: the encoder exports it, and one built before is left unused.

export const ENCODER_VERSION = 1

export const TENS_U64 = 65536
export const TENS_F64 = 65792
export const PROGRAM = 131072
export const PROGRAM_STEPS_MAX = 2048
export const KNOWN_TEXTS = 262144
export const KNOWN_TEXTS_END = 2359296
export const CALL = 2359296
/** Both are copied 16 bytes at a time: so far behind what is read and what is written the memory reaches. */
export const COPY_SLACK_BYTES = 64

/** A step: what to do, the literal before it (length, address, its first 16 bytes), and where its values are. */
export const S_KIND = 0
export const S_LITERAL_LENGTH = 4
export const S_LITERAL = 8
/** The values, by row. */
export const S_VALUES = 12
/** Of a text: lengths by row. Of what is chosen from a table: the table. Of evidence: offsets by row. */
export const S_OTHER = 16
/** Of a text: what its starts are counted from. Of evidence: the offsets of lanes. Of a decimal: digits behind its point. */
export const S_BASE = 20
/** Of a text and of evidence: pairs of address and length, by code or lane. */
export const S_TABLE = 24
/** How many lanes evidence has; of others the number by which the owner is asked for a value. */
export const S_EXTRA = 28
export const S_LITERAL_BYTES = 32
export const STEP_BYTES = 48

/** Nothing but its literal. */
export const STEP_LITERAL = 0
/** The end of a part of the row: where the writing stands goes to the ends. */
export const STEP_END = 1
/** UTF-8 in quotes, by start and length; -1 is null, below it codes into the table: what stands there is written as it is. */
export const STEP_TEXT = 2
/** f64, NaN is null: an integer in units of 10^-scale, with as few digits behind the point as count. */
export const STEP_DECIMAL = 3
export const STEP_FLOAT = 4
export const STEP_BOOL = 5
/** ISO-8601 in UTC: to the second, to the millisecond, and to the second unless milliseconds count. */
export const STEP_SECONDS = 6
export const STEP_MILLISECONDS = 7
export const STEP_EXACT_TIME = 8
/** Whole seconds since the epoch. */
export const STEP_EPOCH_SECONDS = 9
export const STEP_DATE = 10
/** u8 by row: an index into the table. */
export const STEP_CHOICE = 11
/** `[[partition,least,greatest],…]` without the outer brackets. By row: -1 - lane of its one offset, or the index of its lanes' offsets. */
export const STEP_EVIDENCE = 12
/** Whatever it is, the owner writes it. */
export const STEP_ASKED = 13
/** As STEP_TEXT, without quotes, and null is nothing. */
export const STEP_PLAIN_TEXT = 14

/** The first code of a text, and those behind it go down. */
export const FIRST_CODE = -3
/** No number, time or date that the encoder or its owner writes is longer. */
export const NUMBER_BYTES_MAX = 64
