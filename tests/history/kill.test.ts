// Twenty-six kills: six of brokers that have lived for a while, whose history gets faults put into it, and twenty in quick
// succession.
import { killRun } from './kill.suite.ts'

killRun(0, 6, 'usual', true)
killRun(1, 20, 'brisk')
