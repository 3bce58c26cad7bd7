// An auction house's traffic after the Nexmark benchmark (Tucker, Tufte, Papadimos, Maier 2002): of fifty events one is a
// person who joins, three are auctions that open, the rest are bids, most of them on what is hot. A seed gives the same
// lines. Times run evenly and arrive up to two seconds out of order.
import { type RandomStream, randomStream } from '../../src/std/random.ts'

export const nexmarkTopics = ['persons', 'auctions', 'bids'] as const
export type NexmarkTopic = (typeof nexmarkTopics)[number]

const startMs = Date.UTC(2026, 0, 1)
const eventsPerSecond = 1000
const disorderMsMax = 2000
const [personsOf50, auctionsOf50] = [1, 3]
export const firstId = 1000
const categories = 5
const firstNames = ['Ana', 'Bea', 'Caio', 'Dora', 'Eli', 'Flora', 'Gil', 'Hana', 'Ivo', 'Jana', 'Kai']
const lastNames = ['Abreu', 'Braga', 'Costa', 'Dias', 'Esteves', 'Faria', 'Gomes', 'Hora', 'Ivens']
const cities = ['Phoenix', 'Palo Alto', 'Portland', 'Boise', 'Bend', 'Kent', 'Cheyenne', 'Los Angeles']
const states = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY']
const channels = ['Google', 'Facebook', 'Baidu', 'Apple']

/** So many events in the order they come, each as a line of its topic. */
export function* nexmarkTraffic(seed: string, events: number): Generator<readonly [NexmarkTopic, string]> {
  const random = randomStream(`nexmark/${seed}`)
  for (let i = 0; i < events; i++) {
    const ms = startMs + Math.floor((i * 1000) / eventsPerSecond) - random.below(disorderMsMax)
    const at = new Date(ms).toISOString()
    const [round, place] = [Math.floor(i / 50), i % 50]
    const persons = firstId + round * personsOf50 + (place > 0 ? 1 : 0)
    const auctions = firstId + round * auctionsOf50 + Math.min(Math.max(place - 1, 0), auctionsOf50)
    if (place < personsOf50) yield ['persons', person(random, firstId + round, at)]
    else if (place <= auctionsOf50) yield ['auctions', auction(random, auctions, persons, at, ms)]
    else yield ['bids', bid(random, auctions, persons, at)]
  }
}

const pick = <T>(random: RandomStream, values: readonly T[]): T => values[random.below(values.length)]!
const padding = (random: RandomStream, length: number): string =>
  random
    .below(2 ** 32)
    .toString(36)
    .padEnd(length, 'nexmark')
/** One of the last `newest`, or the hot one among them in `hotShare` percent. */
function recent(random: RandomStream, next: number, newest: number, hotShare: number, hotEvery: number): number {
  const last = Math.max(next - 1, firstId)
  if (random.below(100) < hotShare) return Math.max(firstId, last - (last % hotEvery))
  return Math.max(firstId, last - random.below(Math.min(newest, last - firstId + 1)))
}

function person(random: RandomStream, id: number, at: string): string {
  const name = `${pick(random, firstNames)} ${pick(random, lastNames)}`
  const [city, state] = [pick(random, cities), pick(random, states)]
  return `{"id":${id},"name":"${name}","email":"p${id}@example.com","city":"${city}","state":"${state}","at":"${at}","extra":"${padding(random, 80)}"}`
}
function auction(random: RandomStream, id: number, persons: number, at: string, ms: number): string {
  const seller = recent(random, persons, 1000, 75, 4)
  const first = price(random)
  const expires = new Date(ms + 10_000 + random.below(50_000)).toISOString()
  const category = 10 + random.below(categories)
  return `{"id":${id},"item":"item ${id}","initial_bid":${first},"reserve":${first + price(random)},"at":"${at}","expires":"${expires}","seller":${seller},"category":${category},"extra":"${padding(random, 160)}"}`
}
function bid(random: RandomStream, auctions: number, persons: number, at: string): string {
  const auction = recent(random, auctions, 100, 50, 100)
  const bidder = recent(random, persons, 1000, 75, 100)
  const channel = pick(random, channels)
  return `{"auction":${auction},"bidder":${bidder},"price":${price(random)},"channel":"${channel}","url":"https://example.com/${channel}/item.htm?query=${auction}","at":"${at}","extra":"${padding(random, 20)}"}`
}
/** From 100 to 100 million, evenly by order of magnitude. */
const price = (random: RandomStream): number => Math.round(10 ** (2 + random.float() * 6))
