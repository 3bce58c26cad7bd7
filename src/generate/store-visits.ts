// The people in the store: each visit is a walk through the funnel, with time to think between its steps.
import { unreachable } from '../std/assert.ts'
import type { RandomStream } from '../std/random.ts'
import { type ArrivalSettings, arrivals } from './arrivals.ts'
import { normal, weightedChoice } from './distributions.ts'
import type { RecordSink } from './sink.ts'
import { anyCard, type StoreUser, storeProducts, storeSellers } from './store-data.ts'
import type { ActKind, Floor, Paid } from './store-floor.ts'
import type { Funnel, Step, VisitorClass } from './store-funnel.ts'
import { anyCountryAbroad, homeCountry, placeOf } from './store-places.ts'
import { type Item, type Payment, type Place, sessionTail } from './store-records.ts'

const thinkMedianMs = 25_000
const thinkSigma = 1.1
/** A visitor who thinks for longer would be another session. */
const thinkMsMax = 25 * 60_000
export const thinkMeanMs = thinkMedianMs * Math.exp(thinkSigma ** 2 / 2)
const quantityShares = [0.85, 0.11, 0.04]
export const quantityMean = quantityShares.reduce((sum, share, more) => sum + share * (more + 1), 0)
const itemsMax = 5
const companionShare = 0.6
/** Some pay with another card than usual, and some send presents abroad. */
const otherCardShare = 0.02
const abroadShare = 0.015

export interface VisitSettings {
  readonly arrivals: ArrivalSettings
  /** Thinking takes so much of its usual time. */
  readonly pace: number
  readonly logins: boolean
  /** Share of the visits of each user; null: all the same. */
  readonly weights: ArrayLike<number> | null
  readonly classOf: (user: number) => VisitorClass
  /** Told of each payment, and whether it went through. */
  readonly onPaid: (paid: Paid, approved: boolean) => void
}

interface Visit {
  readonly user: number
  readonly visitor: VisitorClass
  readonly sessionId: string
  readonly place: Place
  readonly tail: Uint8Array
  step: Step
  /** What the visitor looks at; a search leaves what was meant here. */
  product: number
  meant: boolean
  /** Was the look at it part of the traffic, or before its start? */
  told: boolean
  readonly basket: { readonly product: number; readonly quantity: number }[]
}

/** Who is in the store: nobody is twice. */
export interface Presence {
  /** A user who is not there yet, the given one or the next that fits; -1 if all of those are. They are there from now on. */
  enter(user: number, fits?: (other: number) => boolean): number
  leave(user: number): void
  /** The next session's id. */
  session(): string
}
export function presence(users: number): Presence {
  const here = new Uint8Array(users)
  let sessions = 0
  return {
    enter(wanted, fits) {
      for (let i = 0; i < users; i++) {
        const user = (wanted + i) % users
        if (here[user] === 1 || (i > 0 && fits?.(user) === false)) continue
        here[user] = 1
        return user
      }
      return -1
    },
    leave(user) {
      here[user] = 0
    },
    session: () => `session_${++sessions}`,
  }
}

/** Lets people come to the floor, for ever. */
export function letVisit(
  random: RandomStream,
  floor: Floor,
  chain: Funnel,
  here: Presence,
  settings: VisitSettings,
): void {
  const { agenda, users } = floor
  const { pace, logins, classOf, onPaid } = settings
  const draw = random.fork('visits')
  const places = random.fork('places')
  const purses = random.fork('purses')
  const extras = random.fork('extras')
  const chooseQuantity = weightedChoice(quantityShares)
  const chooseUser = settings.weights === null ? null : weightedChoice(settings.weights)
  const chooseSeller = weightedChoice(storeSellers.map(({ share }) => share))

  const paymentOf = (visit: Visit, user: StoreUser, status: Payment['status']): Payment => {
    const isOther = purses.float() < otherCardShare
    const isAbroad = purses.float() < abroadShare
    const country = isAbroad ? anyCountryAbroad(purses) : homeCountry
    return {
      method: user.paymentMethod,
      sessionId: visit.sessionId,
      ipAddress: visit.place.ipAddress,
      deviceId: visit.place.deviceId,
      card: user.card !== null && isOther ? anyCard(purses) : user.card,
      status,
      billingCountry: homeCountry,
      shippingCountry: country,
      ipCountry: visit.place.ipCountry,
      seller: storeSellers[chooseSeller.pick(purses)]!.name,
      address: isAbroad ? user.address.replace(/"country":"US"/, `"country":"${country}"`) : user.address,
    }
  }
  const pay = (visit: Visit, status: Payment['status'], atMs: number, sink: RecordSink): boolean => {
    if (visit.basket.length === 0) return false
    const items: Item[] = visit.basket.map((item) => ({ ...item, priceMinor: floor.prices.minor[item.product]! }))
    const paid = floor.pay(visit.user, items, paymentOf(visit, users[visit.user]!, status), atMs, sink)
    if (paid !== null) onPaid(paid, status === 'approved')
    return paid?.told ?? false
  }

  /** A product that goes with the basket; -1 if the one that came to mind is in it. */
  const companionOf = (visit: Visit): number => {
    const first = visit.basket[0]?.product ?? visit.product
    const one = draw.float() < companionShare ? storeProducts[first]!.companion : floor.product(draw)
    return visit.basket.length >= itemsMax || visit.basket.some(({ product }) => product === one) ? -1 : one
  }

  const takeStep = (visit: Visit, atMs: number, sink: RecordSink): boolean => {
    const told = atMs >= floor.startMs
    const act = (kind: ActKind, query = ''): boolean =>
      floor.act({ kind, user: visit.user, product: visit.product, query, tail: visit.tail }, atMs, sink)
    switch (visit.step) {
      case 'search': {
        visit.product = floor.product(draw)
        visit.meant = true
        const { queries } = storeProducts[visit.product]!
        return act('search', queries[draw.below(queries.length)]!)
      }
      case 'view':
      case 'companion-view':
        if (visit.step === 'view' && !visit.meant) visit.product = floor.product(draw)
        visit.meant = false
        visit.told = told
        return act('view')
      case 'cart':
      case 'companion-cart': {
        // What lies in the cart from before stays there: this is what may be paid for.
        if (visit.step === 'cart') visit.basket.length = 0
        const quantity = chooseQuantity.pick(draw) + 1
        if (visit.told && told) visit.basket.push({ product: visit.product, quantity })
        return act('cart')
      }
      case 'checkout':
        return logins && visit.basket.length === 1 ? act('login') : false
      case 'declined':
        return pay(visit, 'declined', atMs, sink)
      case 'paying':
        return pay(visit, 'approved', atMs, sink)
      case 'landing':
      case 'list':
      case 'exit':
        return false
      default:
        return unreachable(visit.step)
    }
  }

  const goOn = (visit: Visit, sink: RecordSink, atMs: number): boolean => {
    const told = takeStep(visit, atMs, sink)
    let step = chain.next(visit.step, visit.visitor, draw)
    if (step === 'companion-view') {
      const companion = companionOf(visit)
      if (companion === -1) step = 'paying'
      else visit.product = companion
    }
    visit.step = step
    if (step === 'exit') here.leave(visit.user)
    else {
      const thinkMs = Math.min(thinkMsMax, thinkMedianMs * Math.exp(thinkSigma * normal(draw))) * pace
      agenda.put(atMs + thinkMs, (later, nowMs) => goOn(visit, later, nowMs))
    }
    return told
  }

  const due = arrivals(random.fork('arrivals'), settings.arrivals)
  const enter = (sink: RecordSink, atMs: number): boolean => {
    const wanted = chooseUser === null ? draw.below(users.length) : chooseUser.pick(draw)
    const { returning, mobile } = classOf(wanted)
    // Somebody of the same kind in the place of who is here already: the kinds keep their shares.
    const user = here.enter(
      wanted,
      (other) => classOf(other).returning === returning && classOf(other).mobile === mobile,
    )
    // Everybody is here already: nobody else can come.
    if (user === -1) return false
    const sessionId = here.session()
    const place = placeOf(users[user]!, places)
    const visit: Visit = {
      user,
      visitor: classOf(user),
      sessionId,
      place,
      tail: sessionTail(sessionId, place),
      step: 'landing',
      product: 0,
      meant: false,
      told: false,
      basket: [],
    }
    return goOn(visit, sink, atMs)
  }
  const come = (sink: RecordSink, atMs: number): boolean => {
    due.advance()
    agenda.put(due.nextMs, come)
    // Offers bring more people: each of the usual ones brings so many others with them.
    const { extra } = floor.prices
    for (let more = extra; more > 0; more--) if (more >= 1 || extras.float() < more) agenda.put(atMs, enter)
    return enter(sink, atMs)
  }
  agenda.put(due.nextMs, come)
}
