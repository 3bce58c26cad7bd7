// What a table shows of its rows: which columns, under which title, as what.
import type { Money } from './format.ts'

export type DataColumn = { readonly name: string; readonly title: string; readonly wide?: boolean } & (
  | { readonly kind: 'text' | 'count' | 'percent' | 'time' | 'ago' | 'list' }
  | { readonly kind: 'money'; readonly money: Money }
  | { readonly kind: 'scaled'; readonly scale: number }
)
export type DataRow = Readonly<Record<string, unknown>>
