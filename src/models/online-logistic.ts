// Logistic regression that learns one example at a time (Adagrad), starting from weights that say what is known before any
// label has come and pulled back to them: rules that become a calibrated probability. Plain data, no clock.

/** Numbers only, so it can be kept as JSON. `weights[0]` is the intercept. */
export interface OnlineLogistic {
  readonly weights: number[]
  /** Where the weights started, and what they are pulled back to. */
  readonly prior: readonly number[]
  /** Sums of squared gradients: the more was learned of a weight, the smaller its steps. */
  readonly squares: number[]
  /** Weighted examples learned from, and how many of them were true. */
  examples: number
  positives: number
}
export interface LogisticRules {
  readonly step: number
  /** Pull to the prior per unit of example weight, as a share of the distance times a step. */
  readonly pull: number
}
export const logisticRules: LogisticRules = Object.freeze({ step: 0.05, pull: 0.002 })

/** A weight moves by at most so much for one example: a mislabelled one must not turn everything round. */
const MOVE_MAX = 0.25
const SQUARES_FIRST = 1

export function newOnlineLogistic(prior: readonly number[]): OnlineLogistic {
  return {
    weights: [...prior],
    prior: [...prior],
    squares: prior.map(() => SQUARES_FIRST),
    examples: 0,
    positives: 0,
  }
}

/** The logit: intercept plus weights times features. */
export function logit({ weights }: OnlineLogistic, features: readonly number[]): number {
  let sum = weights[0] ?? 0
  for (let i = 0; i < features.length; i++) sum += (weights[i + 1] ?? 0) * features[i]!
  return sum
}
export function probability(model: OnlineLogistic, features: readonly number[]): number {
  return sigmoid(logit(model, features))
}
export function sigmoid(value: number): number {
  return value >= 0 ? 1 / (1 + Math.exp(-value)) : 1 - 1 / (1 + Math.exp(value))
}

/** Takes one example in; `weight` is how many like it it stands for. */
export function learn(
  model: OnlineLogistic,
  features: readonly number[],
  label: boolean,
  weight = 1,
  rules: LogisticRules = logisticRules,
): void {
  const { weights, prior, squares } = model
  const error = probability(model, features) - (label ? 1 : 0)
  for (let i = 0; i <= features.length; i++) {
    const feature = i === 0 ? 1 : features[i - 1]!
    if (feature === 0) continue
    const gradient = weight * (error * feature + rules.pull * (weights[i]! - prior[i]!))
    squares[i]! += gradient * gradient
    const move = (rules.step * gradient) / Math.sqrt(squares[i]!)
    weights[i]! -= Math.max(-MOVE_MAX, Math.min(MOVE_MAX, move))
  }
  model.examples += weight
  if (label) model.positives += weight
}
