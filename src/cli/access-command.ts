/** What the commands of `dossier access` have in common: a cluster, a token, tables or JSON. */
import { Command } from 'commander'
import type { Target } from '../local/client/publisher.ts'
import { type Answer, askRegistry, listRegistry } from '../local/client/registry-client.ts'
import { type ClusterOptions, clusterCommand, reachCluster } from './cluster-file.ts'
import { table } from './table.ts'

/** Whose token a local cluster is asked for: the sample’s operator, … */
export const operatorLogin = 'lapointe'

/** … the privacy officer of the whole record … */
export const officerLogin = 'bouchard'

/** … and an access manager of hopital-mont-royal. */
export const managerLogin = 'gendron'

export interface AccessOptions extends ClusterOptions {
  readonly json?: true
}

/** One command that asks a cluster. @param usage name and arguments, e.g. `end <issuer>` */
export function asking(usage: string, description: string): Command {
  const [name = '', ...args] = usage.split(' ')
  const command = new Command(name).description(description)
  for (const argument of args) command.argument(argument)
  return clusterCommand(command).option('--json', 'what the cluster answers, as it is')
}

/** A change needs a token that may write, which the usual one is not. */
export const reach = (options: AccessOptions, login: string): Target => ({
  ...reachCluster(options, login, { scope: 'user/*.cruds' }),
  language: 'en',
})

export type Column = readonly [title: string, cell: (row: Answer) => unknown]

export interface List {
  readonly path: string
  /** Those that are undefined are not sent. */
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly member: string
  readonly columns: readonly Column[]
}

export async function showList(
  options: AccessOptions,
  login: string,
  { path, query = {}, member, columns }: List,
): Promise<void> {
  const rows = await listRegistry(reach(options, login), path, queryOf(query), member)
  print(options.json ? JSON.stringify({ [member]: rows }, null, 2) : tableOf(columns, rows))
}

export const queryOf = (query: Readonly<Record<string, string | undefined>>): URLSearchParams =>
  new URLSearchParams(Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined))

export const tableOf = (columns: readonly Column[], rows: readonly Answer[]): string =>
  table([columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => textOf(cell(row))))])

/** Of what is not there, nothing; of several, all. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(textOf).join(' ')
  // A name may hold what a terminal obeys.
  return String(value).replaceAll(/\p{Cc}/gu, ' ')
}

/** What the cluster answers, as it is: for one thing with parts of its own. */
export async function show(options: AccessOptions, login: string, path: string): Promise<void> {
  print(JSON.stringify(await askRegistry(reach(options, login), path), null, 2))
}

/** Sends a change and says what became of it. */
export async function change(
  options: AccessOptions,
  login: string,
  path: string,
  body: unknown,
  sentenceOf: (answer: Answer) => string = outcomeOf,
): Promise<void> {
  const answer = await askRegistry(reach(options, login), path, body)
  print(options.json ? JSON.stringify(answer, null, 2) : sentenceOf(answer))
}

/** What a change answers, in one sentence. */
export function outcomeOf(answer: Answer): string {
  const request = answer.request as Answer | undefined
  if (request !== undefined && request.decision === undefined)
    return answer.changed
      ? `Asked for: somebody else must approve request ${textOf(request.id)}.`
      : `Asked for already, by ${textOf(request.requestedBy)}: request ${textOf(request.id)}.`
  return answer.changed ? 'Done.' : 'Nothing to change: it is so already.'
}

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}
