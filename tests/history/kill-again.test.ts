// Twenty-six kills more.
import { killRun } from './kill.suite.ts'

killRun(2, 26, 'brisk')
