/** `dossier audit question`: what patients and officers ask about accesses and documents, and what officers answer. */
import { Command } from 'commander'
import type { Answer } from '../local/client/registry-client.ts'
import { type AccessOptions, asking, change, officerLogin, show, showList, textOf } from './access-command.ts'

interface ListOptions extends AccessOptions {
  readonly status?: string
  readonly kind?: string
}

interface AnswerOptions extends AccessOptions {
  readonly text: string
  readonly outcome?: string
  readonly reason?: string
}

export function questionCommand(): Command {
  return new Command('question')
    .description('questions about accesses, and requests for correction')
    .addCommand(listCommand())
    .addCommand(
      asking('show <question>', 'one question with its history').action(
        (id: string, options: AccessOptions) => show(options, officerLogin, pathOf(id)),
      ),
    )
    .addCommand(
      asking('ask <log> <index>', 'question an access')
        .requiredOption('--text <text>', 'what is asked')
        .action(
          (log: string, index: string, { text, ...options }: AccessOptions & { readonly text: string }) =>
            change(
              options,
              officerLogin,
              '/audit/questions',
              { kind: 'access', entry: `${log}/${index}`, text },
              askedOf,
            ),
        ),
    )
    .addCommand(step('take', 'take a question up', 'in-review'))
    .addCommand(answerCommand())
    .addCommand(
      asking('refer <question>', 'hand a question to other officers')
        .option('--to <organisation>', 'whose (default: those of the whole record)')
        .requiredOption('--reason <text>', 'why')
        .action(
          (
            id: string,
            { to, reason, ...options }: AccessOptions & { readonly to?: string; readonly reason: string },
          ) => change(options, officerLogin, pathOf(id), { state: 'referred', to, reason }, stateOf),
        ),
    )
    .addCommand(step('close', 'close a question that was answered', 'closed'))
}

const pathOf = (id: string): string => `/audit/questions/${encodeURIComponent(id)}`

const stateOf = ({ id, state }: Answer): string => `Question ${textOf(id)} is ${textOf(state)}.`

const askedOf = ({ id, due }: Answer): string =>
  `Question ${textOf(id)} is to be answered by ${textOf(due).slice(0, 10)}.`

const step = (name: string, description: string, state: string): Command =>
  asking(`${name} <question>`, description).action((id: string, options: AccessOptions) =>
    change(options, officerLogin, pathOf(id), { state }, stateOf),
  )

const listCommand = (): Command =>
  asking('list', 'the work list, newest first')
    .option('--status <state>', 'open, all, or one state (default: open)')
    .option('--kind <kind>', 'access or correction')
    .action(({ status, kind, ...options }: ListOptions) =>
      showList(options, officerLogin, {
        path: '/audit/questions',
        query: { status, kind },
        member: 'questions',
        columns: [
          ['QUESTION', (row) => row.id],
          ['KIND', (row) => row.kind],
          ['ABOUT', (row) => row.entry ?? row.document],
          ['PATIENT', (row) => row.patient],
          ['STATE', (row) => row.state],
          ['ASKED', (row) => String(row.at).slice(0, 10)],
          ['DUE', (row) => `${String(row.due).slice(0, 10)}${row.overdue === true ? ' (late)' : ''}`],
          ['FOR', (row) => (row.organisation as Answer | null)?.id ?? 'the whole record'],
        ],
      }),
    )

const answerCommand = (): Command =>
  asking('answer <question>', 'answer a question; whoever asked is told')
    .requiredOption('--text <text>', 'the answer')
    .option('--outcome <outcome>', 'of a request for correction: accepted, partly-accepted or refused')
    .option('--reason <text>', 'why not all was done')
    .action((id: string, { text, outcome, reason, ...options }: AnswerOptions) =>
      change(
        options,
        officerLogin,
        pathOf(id),
        { state: 'answered', answer: text, outcome, reason },
        stateOf,
      ),
    )
