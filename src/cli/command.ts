// What a command's file is made of, and how help looks: examples first, then usage, arguments, flags.
import { type Command, type Help, Option } from 'commander'
import type { Globals } from './output.ts'

/** What an action gets: the parsed command line in `command`, and returns the exit code (nothing = 0). */
export type Act = (
  action: (globals: Globals, command: Command) => Promise<number | undefined>,
) => (...given: unknown[]) => Promise<void>
/** Adds description, examples, arguments, flags and action to the command of its name. */
export type Define = (command: Command, act: Act) => void

export type Example = readonly [command: string, what: string]
const examplesOf = new WeakMap<Command, readonly Example[]>()
/** Examples lead a command's help. */
export function examples(command: Command, list: readonly Example[]): void {
  examplesOf.set(command, list)
}

function examplesText(list: readonly Example[]): string[] {
  const width = Math.max(...list.map(([line]) => line.length))
  const fits = width + Math.max(...list.map(([, what]) => what.length)) <= 72
  return list.map(([line, what]) => (fits ? `  ${line.padEnd(width)}   # ${what}` : `  # ${what}\n  ${line}`))
}

/** Description, examples, usage, arguments, commands, options, global options: in that order. */
function formatHelp(command: Command, helper: Help): string {
  const width = helper.padWidth(command, helper)
  const list = (title: string, items: readonly (readonly [term: string, description: string])[]): string[] =>
    items.length === 0
      ? []
      : [
          '',
          helper.styleTitle(title),
          ...items.map(([term, description]) => helper.formatItem(term, width, description, helper)),
        ]
  const optionItem = (option: Option) => [helper.optionTerm(option), helper.optionDescription(option)] as const
  const shown = examplesOf.get(command) ?? []
  const isRoot = command.parent === null
  const globals = isRoot ? [] : helper.visibleGlobalOptions(command)
  return [
    helper.boxWrap(helper.commandDescription(command), helper.helpWidth ?? 80),
    ...(shown.length > 0 ? ['', helper.styleTitle('Examples:'), ...examplesText(shown)] : []),
    '',
    `${helper.styleTitle('Usage:')} ${helper.commandUsage(command)}`,
    ...list(
      'Arguments:',
      helper.visibleArguments(command).map((item) => [helper.argumentTerm(item), helper.argumentDescription(item)]),
    ),
    ...list(
      'Commands:',
      helper.visibleCommands(command).map((item) => [helper.subcommandTerm(item), helper.subcommandDescription(item)]),
    ),
    ...list('Options:', helper.visibleOptions(command).map(optionItem)),
    ...list('Everywhere:', globals.map(optionItem)),
    '',
  ].join('\n')
}

/** Gives a command and those below it our help, and lets its complaints be thrown instead of printed. */
export function dress(command: Command): void {
  command
    .configureHelp({
      formatHelp,
      showGlobalOptions: true,
      subcommandTerm: (sub) => (sub.alias() ? `${sub.name()}, ${sub.alias()}` : sub.name()),
    })
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError(true)
    .helpOption('-h, --help', 'this help')
    .helpCommand(false)
    .exitOverride()
  for (const sub of command.commands) dress(sub)
}

/** `--durability`, the same for every command that opens a broker. */
export function durabilityOption(): Option {
  return new Option(
    '--durability <what>',
    'what an acknowledged record survives: a power cut, or only the death of the process',
  )
    .choices(['power', 'process'])
    .default('power')
}
