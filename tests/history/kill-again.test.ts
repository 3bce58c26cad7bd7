// Twenty kills more in two runs.
import { killRuns } from './kill.suite.ts'

killRuns([3, 4])
