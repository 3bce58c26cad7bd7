// From where people, thieves and programs come to the store: addresses and their countries, devices, browsers. All
// addresses are from ranges that nobody owns: 10/8 is home, 100.64/10 abroad, 198.18/15 data centres.
import type { RandomStream } from '../std/random.ts'
import { anyDevice, type StoreUser } from './store-data.ts'
import type { Place } from './store-records.ts'

export const homeCountry = 'US'
const abroad = ['CA', 'GB', 'MX', 'DE', 'BR', 'RO', 'NG', 'VN', 'UA', 'PH']
const programs = [
  'python-requests/2.32.3',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36',
  'Go-http-client/2.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
]
/** People travel, and some buy a new phone. */
const travelShare = 0.02
const newDeviceShare = 0.03

const last = (random: RandomStream): number => random.below(254) + 1

export function anyCountryAbroad(random: RandomStream): string {
  return abroad[random.below(abroad.length)]!
}
/** An address abroad, in its country. */
export function abroadAddress(random: RandomStream, country: string): string {
  return `100.${64 + abroad.indexOf(country)}.${random.below(256)}.${last(random)}`
}
export function homeAddress(random: RandomStream): string {
  return `10.${random.below(256)}.${random.below(256)}.${last(random)}`
}

/** Where a user's visit comes from: mostly the usual place. */
export function placeOf(user: StoreUser, random: RandomStream): Place {
  const { userAgent } = user
  const isTravel = random.float() < travelShare
  const isNew = random.float() < newDeviceShare
  const country = isTravel ? anyCountryAbroad(random) : homeCountry
  return {
    ipAddress: isTravel ? abroadAddress(random, country) : user.ipAddress,
    ipCountry: country,
    userAgent,
    deviceId: isNew ? anyDevice(random) : user.deviceId,
  }
}

/** Somebody else's: a device nobody has seen, at home or abroad. */
export function strangePlace(random: RandomStream, abroadShare: number, userAgent: string): Place {
  const isAbroad = random.float() < abroadShare
  const country = isAbroad ? anyCountryAbroad(random) : homeCountry
  return {
    ipAddress: isAbroad ? abroadAddress(random, country) : homeAddress(random),
    ipCountry: country,
    userAgent,
    deviceId: anyDevice(random),
  }
}

/** A program in a data centre. */
export function programPlace(random: RandomStream): Place {
  return {
    ipAddress: `198.${18 + random.below(2)}.${random.below(256)}.${last(random)}`,
    ipCountry: random.float() < 0.5 ? homeCountry : anyCountryAbroad(random),
    userAgent: programs[random.below(programs.length)]!,
    deviceId: anyDevice(random),
  }
}
