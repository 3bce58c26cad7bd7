// The pages there are: address, title, the letter that leads there after `g`. The server knows the same addresses.
import type { Component } from 'svelte'
import type { pagePaths } from '../serve/contract.ts'
import EventsPage from './pages/EventsPage.svelte'
import FraudPage from './pages/FraudPage.svelte'
import GroupsPage from './pages/GroupsPage.svelte'
import LivePage from './pages/LivePage.svelte'
import MarketplacesPage from './pages/MarketplacesPage.svelte'
import QualityPage from './pages/QualityPage.svelte'
import ReportsPage from './pages/ReportsPage.svelte'
import StorePage from './pages/StorePage.svelte'
import TopicsPage from './pages/TopicsPage.svelte'

export interface ScreenPage {
  readonly path: '/' | (typeof pagePaths)[number]
  readonly title: string
  readonly group: string
  readonly key: string
  readonly component: Component<{ hidden: boolean }>
}

export const pages: readonly ScreenPage[] = [
  { path: '/', title: 'Live', group: 'Business', key: 'l', component: LivePage },
  { path: '/events', title: 'Events', group: 'Business', key: 'e', component: EventsPage },
  { path: '/store', title: 'Store', group: 'Business', key: 's', component: StorePage },
  { path: '/marketplaces', title: 'Marketplaces', group: 'Business', key: 'm', component: MarketplacesPage },
  { path: '/fraud', title: 'Fraud', group: 'Business', key: 'x', component: FraudPage },
  { path: '/reports', title: 'Reports', group: 'Business', key: 'r', component: ReportsPage },
  { path: '/topics', title: 'Topics', group: 'Data', key: 't', component: TopicsPage },
  { path: '/groups', title: 'Groups', group: 'Data', key: 'c', component: GroupsPage },
  { path: '/quality', title: 'Quality', group: 'Data', key: 'q', component: QualityPage },
]
