// `millrace quality ls`: the quality of the data, from a running Millrace.
import type { z } from 'zod'
import { formatCount } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { clean } from './output.ts'
import { askJson, notOurVersion, notRunning, runningUrl, type Where } from './server.ts'
import { terminalOutput } from './terminal.ts'

type Quality = z.infer<typeof import('../serve/books-contract.ts').quality>

export const define: Define = (command, act) => {
  command.description('The quality of the data: completeness, validity, freshness, and what is not as it should be.')
  const ls = command
    .command('ls')
    .summary('by topic')
    .description('The newest check of each topic, alerts that last, and what was refused since the start.')
    .option('--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)')
    .option(
      '--data-dir <folder>',
      'find the Millrace that runs on this folder (default: MILLRACE_DATA_DIR or ./.millrace)',
    )
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const quality = await ask(parsed.opts<Where>())
        if (out.form === 'json') {
          out.print(JSON.stringify(quality))
          return undefined
        }
        out.table(
          [
            { name: 'topic' },
            { name: 'minute' },
            { name: 'records', alignRight: true },
            { name: 'refused', alignRight: true },
            { name: 'validity', alignRight: true, decimals: 4 },
            { name: 'least', title: 'least complete' },
            { name: 'age', title: 'age s', alignRight: true, decimals: 1 },
          ],
          quality.checks.map(({ topic, windowStart, records, refused, validity, completeness }) => {
            const [least] = Object.entries(completeness).sort(([, a], [, b]) => a - b)
            const ages = quality.freshness.flatMap((one) => (one.topic === topic ? [one.ageSeconds ?? 0] : []))
            return {
              ...{ topic, minute: windowStart, records, refused, validity },
              least: least === undefined ? '' : `${least[0]} ${(least[1] * 100).toFixed(1)}%`,
              age: Math.min(...ages),
            }
          }),
        )
        out.say('')
        const lasting = quality.alerts.filter(({ status }) => status === 'firing')
        for (const { severity, sentence, since } of lasting) out.say(`${severity}: ${clean(sentence)} (since ${since})`)
        for (const { topic, reason, rule, version, records } of quality.refused)
          out.say(
            `${formatCount(records)} of ${topic}: ${reason}${rule === '' ? '' : ` of ${rule}`} (contract ${version})`,
          )
        for (const { topic, field, version } of quality.unknownFields)
          out.say(`${topic} has a field that contract ${version} does not know: ${clean(field)}`)
        if (lasting.length === 0) out.say('Nothing is out of order.')
        if (quality.refused.length > 0) out.say('Next: millrace dlq ls')
        return undefined
      }),
    )
  examples(command, [['millrace quality ls', 'what each topic is made of, and what is wrong']])
  examples(ls, [
    ['millrace quality ls', 'a table'],
    ['millrace quality ls --json', 'all of it'],
  ])
}

async function ask(flags: Where): Promise<Quality> {
  const url = await runningUrl(flags)
  if (url === null) throw notRunning(flags, 'millrace quality ls')
  const path = '/api/v1/quality'
  const [{ quality }, body] = await Promise.all([import('../serve/books-contract.ts'), askJson(url, path, {})])
  const answer = quality.safeParse(body)
  if (answer.success) return answer.data
  throw notOurVersion(`${url}${path}`, answer.error.issues[0]?.message)
}
