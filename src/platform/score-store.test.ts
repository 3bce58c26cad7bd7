// E4, E6, E7: what is told of generated stores is measured against their truth, on seeds nothing was tuned on; small runs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scoreRecommendations } from './score-recommendations.ts'
import { scoreBots } from './score-store.ts'

test('E4: programs among the visitors are found, named, and nobody else is', () => {
  const score = scoreBots(['held-out-1'], 2, 3)
  assert.ok(score.bots > 100, String(score.bots))
  assert.ok(score.recall >= 0.97 && score.precision >= 0.97, JSON.stringify(score))
  assert.equal(score.duplicates, 0)
  for (const { scenario, recall, named } of score.scenarios)
    assert.ok(recall >= 0.9 && named >= 0.95, `${scenario}: ${recall}, named right ${named}`)
})
test('E7: recall of the next thing is at least twice that of what all like', () => {
  const score = scoreRecommendations(['held-out-1', 'held-out-2'], 3_000)
  assert.ok(score.lift >= 2, JSON.stringify(score))
  assert.ok(score.coverage > 0.5)
})
