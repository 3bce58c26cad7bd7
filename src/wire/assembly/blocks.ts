// Blocks of lz4 and snappy, decompressed inside one memory: from [at, end) to [out, outEnd). AssemblyScript. No byte is
// read outside the one or written outside the other, whatever the block says. A block that is not right gives 0: what is
// wrong with it is for lz4.ts and snappy.ts to say. The formats are drawn there.

/** Copies `length` bytes that do not overlap; both sides lie within their limits. */
function copy(to: usize, from: usize, length: usize, toLimit: usize, fromLimit: usize): void {
  if (length <= 32 && to + 32 <= toLimit && from + 32 <= fromLimit) {
    // Bytes past the length are written again by what comes next.
    v128.store(to, v128.load(from))
    if (length > 16) v128.store(to, v128.load(from, 16), 16)
    return
  }
  memory.copy(to, from, length)
}
/** Repeats what lies `offset` bytes before `to`. */
function repeat(to: usize, offset: usize, length: usize, limit: usize): void {
  const from = to - offset
  let done: usize = 0
  if (offset >= 16 && to + length + 16 <= limit) {
    for (; done < length; done += 16) v128.store(to + done, v128.load(from + done))
    return
  }
  if (offset >= 8 && to + length + 8 <= limit) {
    for (; done < length; done += 8) store<u64>(to + done, load<u64>(from + done))
    return
  }
  for (; done < length; done++) store<u8>(to + done, load<u8>(from + done))
}

/** Returns where the output ends, or 0. Matches reach back to `first`, where the frame's output begins. */
export function lz4Block(at: usize, end: usize, out: usize, outEnd: usize, first: usize): usize {
  while (at < end) {
    const token = <usize>load<u8>(at++)
    let literals = token >> 4
    if (literals === 15) {
      let more: usize = 255
      while (more === 255) {
        if (at >= end) return 0
        more = <usize>load<u8>(at++)
        literals += more
      }
    }
    if (literals > end - at || literals > outEnd - out) return 0
    copy(out, at, literals, outEnd, end)
    at += literals
    out += literals
    if (at === end) return out
    if (end - at < 2) return 0
    const offset = <usize>load<u16>(at)
    at += 2
    let length = (token & 15) + 4
    if (length === 19) {
      let more: usize = 255
      while (more === 255) {
        if (at >= end) return 0
        more = <usize>load<u8>(at++)
        length += more
      }
    }
    if (offset === 0 || offset > out - first || length > outEnd - out) return 0
    repeat(out, offset, length, outEnd)
    out += length
  }
  return 0
}

/** The elements behind a raw block's length; must fill [out, outEnd) to its last byte. */
export function snappyBlock(at: usize, end: usize, out: usize, outEnd: usize): usize {
  const first = out
  while (at < end) {
    const tag = <usize>load<u8>(at++)
    const kind = tag & 3
    let length = (tag >> 2) + 1
    let offset: usize
    if (kind === 0) {
      if (length > 60) {
        const sizeBytes = length - 60
        if (sizeBytes > end - at) return 0
        let size: usize = 0
        for (let i: usize = 0; i < sizeBytes; i++) size |= (<usize>load<u8>(at + i)) << (8 * i)
        at += sizeBytes
        // A length of 2^32 would be 0 here: no block holds so much.
        if (size >= end - at) return 0
        length = size + 1
      }
      if (length > end - at || length > outEnd - out) return 0
      copy(out, at, length, outEnd, end)
      at += length
      out += length
      continue
    }
    if (kind === 1) {
      if (at >= end) return 0
      length = ((tag >> 2) & 7) + 4
      offset = ((tag >> 5) << 8) | <usize>load<u8>(at)
      at += 1
    } else if (kind === 2) {
      if (end - at < 2) return 0
      offset = <usize>load<u16>(at)
      at += 2
    } else {
      if (end - at < 4) return 0
      offset = <usize>load<u32>(at)
      at += 4
    }
    if (offset === 0 || offset > out - first || length > outEnd - out) return 0
    repeat(out, offset, length, outEnd)
    out += length
  }
  return out === outEnd ? out : 0
}
