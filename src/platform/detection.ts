// States that the API asks: what to show a visitor, and the features of models. The reactions belong to jobs; whoever asks
// sees what the job has made of the log so far.
import {
  type FeaturesState,
  featureStore,
  featuresOf,
  type PersonalisationState,
  personalisation,
  recommend,
  salesFeaturePlans,
  storeFeaturePlans,
} from '../commerce/commerce.ts'
import type { Reaction } from '../query/reaction.ts'
import type { InsightsPort } from '../serve/insights-port.ts'

/** A reaction whose state can be looked at. */
interface Watched<State> {
  readonly reaction: Reaction<State>
  /** Null before the first row or tick. */
  state(): State | null
}
function watched<State>(reaction: Reaction<State>): Watched<State> {
  let latest: State | null = null
  return {
    reaction: {
      ...reaction,
      step(state, input, emit) {
        latest = state
        reaction.step(state, input, emit)
      },
    },
    state: () => latest,
  }
}

export interface Detection extends InsightsPort {
  readonly ofSales: readonly Reaction[]
  readonly ofShop: readonly Reaction[]
}
export function openDetection(): Detection {
  const visitors = watched<PersonalisationState>(personalisation())
  const ofSales = watched<FeaturesState>(featureStore('features-sales', salesFeaturePlans))
  const ofStore = watched<FeaturesState>(featureStore('features-store', storeFeaturePlans))
  return {
    ofSales: [ofSales.reaction],
    ofShop: [visitors.reaction, ofStore.reaction],
    recommendations(user, nowMs, count) {
      const state = visitors.state()
      return state === null ? { known: false, items: [], boughtTogether: [] } : recommend(state, user, nowMs, count)
    },
    features: (kind, id, nowMs) =>
      featuresOf(
        [ofSales.state(), ofStore.state()].filter((state) => state !== null),
        kind,
        id,
        nowMs,
      ),
  }
}
