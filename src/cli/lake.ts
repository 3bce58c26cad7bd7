// `millrace lake`: the Parquet files of a data directory: what there is, whether it is what was written, making few of many.
import { formatBytes, formatCount } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { CommandError, exitCodes } from './errors.ts'
import { askJson, lakeMsMax, notRunning, runningUrl, type Where } from './server.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

const place = ['--data-dir <folder>', 'whose lake (default: MILLRACE_DATA_DIR or ./.millrace)'] as const

export const define: Define = (command, act) => {
  command.description(
    'The lake: events as received (bronze), valid and each once (silver), results (gold), as Parquet files under <data directory>/lake.',
  )
  const ls = command
    .command('ls')
    .summary('what there is')
    .description('List what the lake has of each topic. Looks at the files; nothing needs to run.')
    .option(...place)
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const { lakeOf } = await import('../platform/lake-look.ts')
        const look = lakeOf(await realWorld(), dataDirOf(parsed.opts<Where>().dataDir))
        if (look === null) throw noLake(parsed.opts<Where>())
        const rows = look.totals().map((total) => ({ ...total, size: formatBytes(total.bytes) }))
        out.table(
          [
            { name: 'layer' },
            { name: 'topic' },
            { name: 'files', alignRight: true },
            { name: 'rows', alignRight: true },
            { name: 'size', alignRight: true },
            { name: 'from', title: 'from day' },
            { name: 'to', title: 'to day' },
          ],
          rows,
        )
        out.say(`manifest version ${look.version}, ${formatCount(look.files)} files`)
        return undefined
      }),
    )
  const verify = command
    .command('verify')
    .summary('is it what was written?')
    .description(
      'Read every file of the lake and hold it against the manifest: there, as long, of its SHA-256, with its rows, no offset twice. Changes nothing; may run beside a running Millrace.',
    )
    .option(...place)
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const { lakeOf } = await import('../platform/lake-look.ts')
        const look = lakeOf(await realWorld(), dataDirOf(parsed.opts<Where>().dataDir))
        if (look === null) throw noLake(parsed.opts<Where>())
        const findings = await look.verify()
        if (out.form === 'json' || out.form === 'ndjson' || findings.length > 0)
          out.table(
            [{ name: 'path', title: 'file' }, { name: 'problem' }],
            findings.map((finding) => ({ ...finding })),
          )
        out.say(
          findings.length === 0
            ? `${formatCount(look.files)} files are what was written`
            : `${findings.length} of ${formatCount(look.files)} are not: restore them from a backup, or move them away and let \`millrace start\` write what the log still has`,
        )
        return findings.length === 0 ? undefined : exitCodes.failed
      }),
    )
  const compact = command
    .command('compact')
    .summary('one file of many small ones')
    .description(
      'Make one file of the small ones of each topic and day, wherever there are two. A running Millrace is asked to do it (it does so by itself once there are many).',
    )
    .option('--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)')
    .option(...place)
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const flags = parsed.opts<Where>()
        const url = await runningUrl(flags)
        const world = await realWorld()
        const dataDir = dataDirOf(flags.dataDir)
        if (url === null && world.fs.stat(dataDir) === null) throw notRunning(flags, 'millrace lake compact')
        const done =
          url === null
            ? await (await import('../platform/lake-look.ts')).compactStopped(world, dataDir)
            : counted(await askJson(url, '/api/v1/lake/compactions', { post: {}, msMax: lakeMsMax }))
        if (out.form === 'json' || out.form === 'ndjson') out.print(JSON.stringify(done))
        else out.print(`${formatCount(done.before)} files became ${formatCount(done.after)}`)
        return undefined
      }),
    )
  examples(command, [
    ['millrace lake ls', 'files, rows and days of each topic'],
    ['millrace lake verify', 'read all of it and compare'],
  ])
  examples(ls, [['millrace lake ls --data-dir /srv/millrace', 'of another data directory']])
  examples(verify, [['millrace lake verify --json', 'the findings as JSON; none: []']])
  examples(compact, [['millrace lake compact', 'of ./.millrace, running or not']])
}

function counted(body: unknown): { readonly before: number; readonly after: number } {
  const of = (name: string): number => Number(Reflect.get(Object(body), name) ?? 0)
  return { before: of('before'), after: of('after') }
}

function noLake(where: Where): CommandError {
  return new CommandError(exitCodes.notFound, {
    what: 'there is no lake here',
    where: `data directory ${dataDirOf(where.dataDir)}`,
    cause: 'no Millrace has written one yet',
    cure: 'millrace start writes it after some minutes, millrace report run NAME at once',
  })
}
