// The door of the models: pure algorithms over plain data, with no clock and no I/O.
export {
  type CoVisitRules,
  type CoVisits,
  coVisitRules,
  newCoVisits,
  popular,
  type Suggestion,
  suggest,
  trending,
  visited,
} from './co-visits.ts'
export {
  type LogisticRules,
  learn,
  logisticRules,
  logit,
  newOnlineLogistic,
  type OnlineLogistic,
  probability,
  sigmoid,
} from './online-logistic.ts'
export { averagePrecision, brier, calibrationError, type Scored } from './ranking-quality.ts'
export { type ExpectedRate, expectedRate, learnMinute, newRateBaseline, type RateBaseline } from './rate-baseline.ts'
export {
  anscombe,
  type ChangeSide,
  changeAfter,
  newRateChange,
  type RateChange,
  resetSide,
} from './rate-change.ts'
