// What serving asks about one visitor or thing, as plain data: the jobs of the platform answer. A door of `serve/`.

/** What models and pages ask about one visitor or thing, at this moment. */
export interface InsightsPort {
  recommendations(user: string, nowMs: number, count: number): Recommended
  /** By name; null: nothing is known. */
  features(kind: FeatureEntity, id: string, nowMs: number): Readonly<Record<string, number | null>>
}
export type FeatureEntity = 'seller' | 'category' | 'product' | 'user' | 'device'
export interface Recommended {
  /** False: nothing is known of the visitor, and what all like is shown. */
  readonly known: boolean
  readonly items: readonly {
    readonly productId: string
    readonly score: number
    readonly reason: 'goes-with' | 'trending' | 'popular'
    readonly with: string | null
  }[]
  readonly boughtTogether: readonly {
    readonly productId: string
    readonly baskets: number
    readonly support: number
    readonly confidence: number
    readonly lift: number
    readonly jaccard: number
  }[]
}
