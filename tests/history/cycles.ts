// A circle in a directed graph of operations, if there is one: peel off what nothing leads to and what leads nowhere,
// then walk in what is left. Linear in the edges.

export interface Edges {
  readonly from: number[]
  readonly to: number[]
}

/** The nodes of one circle, in order; null if there is none. Loops of a node to itself are not counted. */
export function findCycle(nodes: number, graphs: readonly Edges[]): number[] | null {
  const forward = adjacency(nodes, graphs, false)
  const backward = adjacency(nodes, graphs, true)
  const isLeft = new Uint8Array(nodes).fill(1)
  peel(nodes, forward, backward, isLeft)
  peel(nodes, backward, forward, isLeft)
  let at = isLeft.indexOf(1)
  if (at < 0) return null
  const places = new Map<number, number>()
  const path: number[] = []
  while (!places.has(at)) {
    places.set(at, path.length)
    path.push(at)
    // Whatever is left has a successor that is left.
    for (let i = forward.starts[at]!; i < forward.starts[at + 1]!; i++) {
      const next = forward.ends[i]!
      if (isLeft[next] === 1) {
        at = next
        break
      }
    }
  }
  return path.slice(places.get(at)!)
}

interface Adjacency {
  readonly starts: Int32Array
  readonly ends: Int32Array
}
function adjacency(nodes: number, graphs: readonly Edges[], isReversed: boolean): Adjacency {
  const starts = new Int32Array(nodes + 2)
  let total = 0
  for (const graph of graphs) {
    const from = isReversed ? graph.to : graph.from
    for (let i = 0; i < from.length; i++) {
      if (graph.from[i] === graph.to[i]) continue
      starts[from[i]! + 2]!++
      total++
    }
  }
  for (let i = 2; i < starts.length; i++) starts[i]! += starts[i - 1]!
  const ends = new Int32Array(total)
  for (const graph of graphs) {
    const [from, to] = isReversed ? [graph.to, graph.from] : [graph.from, graph.to]
    for (let i = 0; i < from.length; i++) if (from[i] !== to[i]) ends[starts[from[i]! + 1]!++] = to[i]!
  }
  return { starts, ends }
}

/** Takes away nodes without predecessors (in `backward`) until all that is left have one. */
function peel(nodes: number, forward: Adjacency, backward: Adjacency, isLeft: Uint8Array): void {
  const degrees = new Int32Array(nodes)
  const bare: number[] = []
  for (let node = 0; node < nodes; node++) {
    if (isLeft[node] === 0) continue
    for (let i = backward.starts[node]!; i < backward.starts[node + 1]!; i++)
      degrees[node]! += isLeft[backward.ends[i]!]!
    if (degrees[node] === 0) bare.push(node)
  }
  for (let node = bare.pop(); node !== undefined; node = bare.pop()) {
    isLeft[node] = 0
    for (let i = forward.starts[node]!; i < forward.starts[node + 1]!; i++) {
      const next = forward.ends[i]!
      if (isLeft[next] === 1 && --degrees[next]! === 0) bare.push(next)
    }
  }
}
