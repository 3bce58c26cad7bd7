// Thirty kills in three runs, and the first history with faults put into it.
import { killRuns } from './kill.suite.ts'

killRuns([0, 1, 2])
