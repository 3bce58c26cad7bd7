// `npm run fuzz [seed] [frames]`: many mutated frames, 100,000 if not said otherwise, with a fresh seed.
import { fuzz } from './fuzzing.ts'

const [seed = `fuzz ${Date.now()}`, count = '100000'] = process.argv.slice(2)
process.stdout.write(`seed ${JSON.stringify(seed)}; the same seed gives the same frames\n`)
const result = await fuzz(seed, Number(count), (done) => process.stdout.write(`\r${done} frames`))
const { answered, closed, silent } = result
process.stdout.write(`\r${count} frames: ${answered} answered, ${closed} disconnected, ${silent} rightly silent\n`)
