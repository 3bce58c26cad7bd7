// What a broker knows of people: who has which password, who may do what. One of each for all its listeners.
import type { World } from '../../world/world.ts'
import type { SettingsStore } from '../settings-table.ts'
import { AccessControl } from './access-control.ts'
import { Credentials } from './credentials.ts'
import { FailedLogins } from './failed-logins.ts'
import { Passwords } from './passwords.ts'

export interface Security {
  readonly access: AccessControl
  readonly credentials: Credentials
  readonly passwords: Passwords
  readonly failedLogins: FailedLogins
}

/** `superUsers` may do everything; each is a name or a principal (`User:name`). */
export function securityOf(world: World, settings: SettingsStore, superUsers: readonly string[] = []): Security {
  const credentials = new Credentials(settings)
  return {
    access: new AccessControl(settings, superUsers.map(principalOf)),
    credentials,
    passwords: new Passwords(world, credentials),
    failedLogins: new FailedLogins(world.clock),
  }
}

export const principalOf = (name: string): string => (/^[A-Za-z]+:/.test(name) ? name : `User:${name}`)
