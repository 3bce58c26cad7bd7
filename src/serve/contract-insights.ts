// The answers about one visitor or thing: what to show, features of models. Part of the API contract.
import { z } from 'zod'

const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC' })
const count = z.int().min(0)

export const recommendations = z
  .object({
    asOf: time,
    user: z.string(),
    known: z.boolean().meta({ description: 'false: nothing is known of the visitor, and what all like is shown' }),
    items: z.array(
      z.object({
        productId: z.string(),
        score: z.number(),
        reason: z.enum(['goes-with', 'trending', 'popular']),
        with: z.string().nullable().meta({ description: 'what it goes with' }),
      }),
    ),
    boughtTogether: z
      .array(
        z.object({
          productId: z.string(),
          baskets: count,
          support: z.number().meta({ description: 'share of all purchases that hold both' }),
          confidence: z.number().meta({ description: 'of the purchases with the first' }),
          lift: z.number(),
          jaccard: z.number(),
        }),
      )
      .meta({ description: 'with what the visitor touched last' }),
  })
  .meta({ id: 'Recommendations' })
export const features = z
  .object({
    asOf: time.meta({ description: 'nothing that happened or came later is in them' }),
    entity: z.string(),
    features: z.record(z.string(), z.number().nullable()).meta({ description: 'null: nothing is known' }),
  })
  .meta({ id: 'Features' })
