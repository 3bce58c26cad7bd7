// The small store's fixed parts: ten products, a thousand users with their homes and devices, three warehouses, sellers.
import type { RandomStream } from '../std/random.ts'
import { weightedChoice } from './distributions.ts'

export interface StoreProduct {
  readonly id: string
  readonly name: string
  readonly category: string
  readonly priceMinor: number
  /** What people type who look for it. */
  readonly queries: readonly string[]
  /** Index of the product that is most often bought with it. */
  readonly companion: number
  /** How demand answers to the price: a price of half makes it 2^-elasticity times as large. */
  readonly elasticity: number
}
const product = (
  number: number,
  name: string,
  category: string,
  priceMinor: number,
  companion: number,
  elasticity: number,
  queries: string,
): StoreProduct => ({
  id: `P${String(number).padStart(3, '0')}`,
  name,
  category,
  priceMinor,
  companion: companion - 1,
  elasticity,
  queries: queries.split('|'),
})

/** Most wanted first. */
export const storeProducts: readonly StoreProduct[] = [
  product(1, 'iPhone 15 Pro', 'Electronics', 999_99, 4, -1.1, 'iphone|iphone 15|smartphone'),
  product(2, 'Nike Air Max Shoes', 'Shoes', 149_99, 9, -1.9, 'nike|running shoes|air max'),
  product(3, 'MacBook Air M3', 'Electronics', 1_299_00, 8, -0.9, 'laptop|macbook|notebook'),
  product(4, 'Wireless Earbuds', 'Electronics', 129_00, 1, -1.7, 'earbuds|headphones|wireless'),
  product(5, 'Espresso Machine', 'Kitchen', 449_50, 7, -1.3, 'coffee machine|espresso'),
  product(6, 'Denim Jacket', 'Clothing', 79_90, 2, -2.6, 'jacket|denim'),
  product(7, 'Ceramic Mug Set', 'Kitchen', 34_95, 5, -2.1, 'mugs|coffee mug'),
  product(8, 'Laptop Backpack', 'Accessories', 64_00, 3, -2.3, 'backpack|laptop bag'),
  product(9, 'Yoga Mat', 'Sports', 29_99, 2, -2.9, 'yoga|mat'),
  product(10, 'Desk Lamp', 'Home', 45_49, 8, -2.0, 'lamp|desk light'),
]
export const storeProductWeights: readonly number[] = storeProducts.map((_, rank) => (rank + 2) ** -0.9)

export const warehouses = Object.freeze(['NYC', 'CHI', 'LAX'])

interface City {
  readonly city: string
  readonly state: string
  readonly zip: string
  /** Index of the warehouse that sends there. */
  readonly warehouse: number
  readonly weight: number
}
const cities: readonly City[] = [
  { city: 'New York', state: 'NY', zip: '10001', warehouse: 0, weight: 19 },
  { city: 'Boston', state: 'MA', zip: '02108', warehouse: 0, weight: 8 },
  { city: 'Philadelphia', state: 'PA', zip: '19103', warehouse: 0, weight: 8 },
  { city: 'Atlanta', state: 'GA', zip: '30303', warehouse: 0, weight: 8 },
  { city: 'Chicago', state: 'IL', zip: '60601', warehouse: 1, weight: 14 },
  { city: 'Dallas', state: 'TX', zip: '75201', warehouse: 1, weight: 10 },
  { city: 'Minneapolis', state: 'MN', zip: '55401', warehouse: 1, weight: 5 },
  { city: 'Los Angeles', state: 'CA', zip: '90012', warehouse: 2, weight: 15 },
  { city: 'Seattle', state: 'WA', zip: '98101', warehouse: 2, weight: 7 },
  { city: 'Phoenix', state: 'AZ', zip: '85004', warehouse: 2, weight: 6 },
]
const streets = ['Maple Street', 'Oak Avenue', 'Cedar Lane', 'Main Street', 'Lake Road', 'Park Place', 'Hill Drive']
const browsers = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0',
]
const payments = ['credit_card', 'paypal', 'debit_card', 'apple_pay', 'gift_card']
const paymentWeights = [0.52, 0.2, 0.15, 0.1, 0.03]

const mobile = /Mobile/
/** Paid with a card, or through one. */
const byCard: ReadonlySet<string> = new Set(['credit_card', 'debit_card', 'apple_pay'])
/** First digits of the issuers' cards: all from the ranges that issuers use for tests. */
export const issuers: readonly string[] = [
  '411111',
  '424242',
  '400005',
  '555555',
  '510510',
  '222300',
  '378282',
  '601111',
]

/** Who sells in the store, and the share of its purchases. */
export const storeSellers: readonly { readonly name: string; readonly share: number }[] = [
  { name: 'Northwind Outlet', share: 0.26 },
  { name: 'Harbor Goods', share: 0.21 },
  { name: 'Maple & Pine', share: 0.16 },
  { name: 'Lakeside Direct', share: 0.13 },
  { name: 'Copper Kettle', share: 0.1 },
  { name: 'Summit Supply', share: 0.07 },
  { name: 'Bluebird Market', share: 0.05 },
  { name: 'Corner Shop 24', share: 0.02 },
]

export interface StoreUser {
  readonly id: string
  readonly ipAddress: string
  readonly userAgent: string
  readonly isMobile: boolean
  readonly deviceId: string
  readonly paymentMethod: string
  /** Null where no card is behind the payments. */
  readonly card: string | null
  readonly warehouse: number
  /** JSON text of the address. */
  readonly address: string
}

export const storeUserCount = 1_000
export const storeUsersMax = 100_000

/** Eight hexadecimal digits. */
const eight = (random: RandomStream): string => random.u32().toString(16).padStart(8, '0')
export const anyDevice = (random: RandomStream): string => `dev_${eight(random)}`
export const anyCard = (random: RandomStream, issuer = issuers[random.below(issuers.length)]!): string =>
  `${issuer}-${eight(random)}`

/** U0001 to U1000, or more; the same seed gives the same people. */
export function storeUsers(random: RandomStream, count = storeUserCount): readonly StoreUser[] {
  const things = random.fork('things')
  const chooseCity = weightedChoice(cities.map(({ weight }) => weight))
  const choosePayment = weightedChoice(paymentWeights)
  return Array.from({ length: count }, (_, i) => {
    const { city, state, zip, warehouse } = cities[chooseCity.pick(random)]!
    const street = `${random.below(990) + 10} ${streets[random.below(streets.length)]}`
    const ipAddress = `10.${random.below(256)}.${random.below(256)}.${random.below(254) + 1}`
    const userAgent = browsers[random.below(browsers.length)]!
    const paymentMethod = payments[choosePayment.pick(random)]!
    const card = anyCard(things)
    return {
      id: `U${String(i + 1).padStart(4, '0')}`,
      ipAddress,
      userAgent,
      isMobile: mobile.test(userAgent),
      deviceId: anyDevice(things),
      paymentMethod,
      card: byCard.has(paymentMethod) ? card : null,
      warehouse,
      address: JSON.stringify({ street, city, state, zip, country: 'US' }),
    }
  })
}

/** Share of the users whose orders each warehouse sends. */
export const warehouseShares: readonly number[] = warehouses.map((_, warehouse) => {
  const sum = cities.reduce((all, { weight }) => all + weight, 0)
  return cities.reduce((all, city) => all + (city.warehouse === warehouse ? city.weight : 0), 0) / sum
})
