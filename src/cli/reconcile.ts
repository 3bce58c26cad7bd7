// `millrace reconcile`: each published figure of a running Millrace held against the same question over the lake.
import { type Define, examples } from './command.ts'
import { exitCodes } from './errors.ts'
import { askJson, lakeMsMax, notOurVersion, notRunning, runningUrl, type Where } from './server.ts'
import { terminalOutput } from './terminal.ts'

export const define: Define = (command, act) => {
  command
    .description(
      'Compare now: rows of closed windows that the engine published, and what DuckDB makes of the records as they were received. Fails (1) if any differ. A running Millrace does so by itself every ten minutes.',
    )
    .option('--last', 'tell the last comparison instead of making one', false)
    .option('--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)')
    .option('--data-dir <folder>', 'the Millrace that runs on it (default: MILLRACE_DATA_DIR or ./.millrace)')
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const flags = parsed.opts<Where & { readonly last: boolean }>()
        const url = await runningUrl(flags)
        if (url === null) throw notRunning(flags, 'millrace reconcile')
        const path = '/api/v1/reconciliation'
        out.progress('bringing the lake up to date and comparing')
        const [{ reconciliation }, body] = await Promise.all([
          import('../serve/contract.ts'),
          askJson(url, path, { ...(flags.last ? {} : { post: {} }), msMax: lakeMsMax }),
        ])
        out.progress('')
        const answer = reconciliation.safeParse(body)
        if (!answer.success) throw notOurVersion(`${url}${path}`, answer.error.issues[0]?.message)
        const { figures } = answer.data
        out.table(
          [
            { name: 'figure' },
            { name: 'state' },
            { name: 'from' },
            { name: 'to' },
            { name: 'rows', alignRight: true },
            { name: 'differences', alignRight: true },
            { name: 'detail' },
          ],
          figures.map(({ figure, state, from, to, rows, differences, detail }) => ({
            figure,
            state,
            from,
            to,
            rows,
            differences,
            detail,
          })),
        )
        for (const { figure, examples: some } of figures)
          for (const { key, engine, batch } of some)
            out.say(`${figure} ${key}: engine ${engine ?? 'has no such row'}; batch ${batch ?? 'has no such row'}`)
        const isBad = figures.some(({ state }) => state === 'different' || state === 'failed')
        return isBad ? exitCodes.failed : undefined
      }),
    )
  examples(command, [
    ['millrace reconcile', 'of the Millrace on ./.millrace'],
    ['millrace reconcile --last --json', 'what it found by itself'],
  ])
}
