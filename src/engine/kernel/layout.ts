// Where things lie in the kernel's memory. Read by both sides: AssemblyScript compiles it in, TypeScript writes by it.
//
//   0          the compiler's own (no data of ours)
//   64 KiB     header: bases of the columns, order and hits of the templates, powers of ten, last minute, id columns,
//              heads of the dictionaries
//   128 KiB    templates: TEMPLATES_MAX slots of TEMPLATE_BYTES
//   896 KiB    texts of the rows in work, whose ids are still to be found
//   1 MiB      texts that never change: defaults, and the tables behind `one-of` rules
//   2 MiB      dictionaries: indexes and entries, thrown away and filled again when full
//   18 MiB     the batch: record bytes, SLACK_BYTES of zeros, starts, ends, arrivals, columns; grows
//
// Changing this needs another KERNEL_VERSION: the kernel exports it, and one built before is left unused.

export const KERNEL_VERSION = 4

/** A contract with more fields is decoded by JSON alone. */
export const FIELDS_MAX = 64
export const TEMPLATES_MAX = 8
export const TEMPLATE_BYTES = 98304

/** Base address of each column, u32; a text column has two (starts and lengths). */
export const COLUMN_BASES = 65536
export const COLUMNS_MAX = 256
/** Number of templates, u32; then the address of each in the order to try them, u32. */
export const TEMPLATE_COUNT = 66560
export const TEMPLATE_ORDER = 66564
/** 10^0 … 10^22 as f64; 10^0 … 10^18 as i64; floor((2^53 - 1) / 10^k) for k = 0 … 18 as i64. */
export const POWERS_F64 = 66816
export const POWERS_I64 = 67072
export const SAFE_LIMITS = 67328
export const POWERS_MAX = 18
/** The 16 bytes `YYYY-MM-DDTHH:MM` last read, and their time in ms as f64. */
export const LAST_MINUTE = 67584
export const LAST_MINUTE_MS = 67600
/** 32 bytes of ones, then 32 of zeros: read from here + 32 - n, n ones come first. */
export const FIRST_BYTES = 67616
/** How many columns hold ids, u32; then of each, in the order of the contract: what I_ says. */
export const ID_COUNT = 68608
export const ID_COLUMNS = 68624
export const ID_COLUMN_BYTES = 16
/** Head of its dictionary; index into COLUMN_BASES; head of the allowed texts or 0; its texts of the rows in work. */
export const I_DICTIONARY = 0
export const I_COLUMN = 4
export const I_ONE_OF = 8
export const I_TEXTS = 12
/** Heads of dictionaries, DICTIONARY_BYTES each. */
export const DICTIONARIES = 73728
export const DICTIONARIES_MAX = 128
/** Head: index (address), its words less one, words used, number. What a word and an entry are: assembly/dictionary.ts. */
export const DICTIONARY_BYTES = 16
export const D_INDEX = 0
export const D_MASK = 4
export const D_USED = 8
export const D_NUMBER = 12
/** In front of the text of an entry. */
export const ENTRY_HEAD_BYTES = 16

export const TEMPLATES = 131072
/** By dictionary: u32 address and u32 length of the text of each row in work; address 0 is null. */
export const TEXTS = 917504
export const ROWS_IN_WORK = 64
export const TEXTS_BYTES = 512
export const CONSTANTS = 1048576
export const CONSTANTS_END = 2097152
export const ARENA = 2097152
export const ARENA_END = 18874368
export const BATCH = 18874368
/** Readers take 16 bytes at a time: so far they may look past the end. Zeros, which end every scan. */
export const SLACK_BYTES = 64

/** A template: fields, tail (address, length), missing fields, hits; the fields and the missing fields follow. */
export const T_FIELDS = 0
export const T_TAIL = 4
export const T_TAIL_LENGTH = 8
export const T_MISSING = 12
export const T_HITS = 16
export const TEMPLATE_HEAD_BYTES = 32

/** A field: the bytes before its value, what the value must be, and where it goes. */
export const F_LITERAL = 0
export const F_LITERAL_LENGTH = 4
export const F_KIND = 8
export const F_OUTPUT = 12
/** Index into COLUMN_BASES. */
export const F_COLUMN = 16
export const F_ABSENT = 20
/** Head of the dictionary that holds the allowed texts, 0 if all are. */
export const F_ONE_OF = 24
export const F_SCALE = 28
/** Head of the dictionary that gives ids, for OUTPUT_ID. */
export const F_DICTIONARY = 32
/** Where its texts of the rows in work are noted, for OUTPUT_ID. */
export const F_TEXTS = 36
/** CHECK_ bits: what a number must still pass. */
export const F_CHECKS = 40
export const CHECK_BOUNDS = 1
export const CHECK_EVENT_TIME = 2
/** What stands in when it is null or missing. */
export const F_CONSTANT_TEXT = 44
export const F_CONSTANT_LENGTH = 48
export const F_CONSTANT = 56
/** The value must be above and at least these, f64. */
export const F_ABOVE = 64
export const F_AT_LEAST = 72
/** The first 16 bytes of the literal, and ones where it has any. */
export const F_LITERAL_BYTES = 80
export const F_LITERAL_MASK = 96
export const FIELD_BYTES = 112

export const KIND_ANY = 0
export const KIND_TEXT = 1
export const KIND_INT = 2
export const KIND_DECIMAL = 3
export const KIND_FLOAT = 4
export const KIND_TIMESTAMP = 5
export const KIND_DATE = 6
export const KIND_BOOL = 7
export const KIND_UUID = 8
/** Objects and lists: only null is taken here. */
export const KIND_NESTED = 9
/** Texts that are wanted by id; and those nobody wants and any will do. */
export const KIND_ID = 10
export const KIND_PASSED_OVER = 11

export const OUTPUT_NONE = 0
export const OUTPUT_NUMBER = 1
export const OUTPUT_ID = 2
export const OUTPUT_TEXT = 3

export const ABSENT_FAULT = 0
export const ABSENT_NULL = 1
export const ABSENT_NUMBER = 2
export const ABSENT_TEXT = 3
