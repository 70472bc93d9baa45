/** `dossier audit incident`: the register of confidentiality incidents. */
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { type Answer, askText } from '../local/client/registry-client.ts'
import { ClusterFailure, messageOf } from '../local/failure.ts'
import {
  type AccessOptions,
  asking,
  change,
  officerLogin,
  queryOf,
  reach,
  show,
  showList,
  textOf,
} from './access-command.ts'

interface ListOptions extends AccessOptions {
  readonly status?: string
  readonly from?: string
  readonly to?: string
}

export function incidentCommand(): Command {
  return new Command('incident')
    .description('the register of confidentiality incidents')
    .addCommand(listCommand())
    .addCommand(
      period(asking('export', 'the register as a CSV file, to standard output')).action(
        async ({ status, from, to, ...options }: ListOptions) => {
          const query = queryOf({ status, from, to, format: 'csv' })
          process.stdout.write(await askText(reach(options, officerLogin), `/audit/incidents?${query}`))
        },
      ),
    )
    .addCommand(
      asking('show <incident>', 'one incident with all its versions').action(
        (id: string, options: AccessOptions) => show(options, officerLogin, pathOf(id)),
      ),
    )
    .addCommand(
      asking('add <file>', 'enter an incident: JSON with the fields of the register').action(
        async (file: string, options: AccessOptions) =>
          change(options, officerLogin, '/audit/incidents', await jsonOf(file), versionOf),
      ),
    )
    .addCommand(
      asking(
        'revise <incident> <file>',
        'add a version: JSON with all fields, `version` and `status`',
      ).action(async (id: string, file: string, options: AccessOptions) =>
        change(options, officerLogin, pathOf(id), await jsonOf(file), versionOf),
      ),
    )
}

const pathOf = (id: string): string => `/audit/incidents/${encodeURIComponent(id)}`

const versionOf = ({ id, version, status }: Answer): string =>
  `Incident ${textOf(id)} has version ${textOf(version)}: ${textOf(status)}.`

/** @throws ClusterFailure naming the file */
async function jsonOf(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new ClusterFailure(`The incident cannot be read from ${file}: ${messageOf(error)}`)
  }
}

const period = (command: Command): Command =>
  command
    .option('--status <status>', 'open, closed or all (default: all)')
    .option('--from <day>', 'known on this day or later, e.g. 2026-01-01')
    .option('--to <day>', 'known on this day or before')

const listCommand = (): Command =>
  period(asking('list', 'the register, newest first')).action(
    ({ status, from, to, ...options }: ListOptions) =>
      showList(options, officerLogin, {
        path: '/audit/incidents',
        query: { status, from, to },
        member: 'incidents',
        columns: [
          ['INCIDENT', (row) => row.id],
          ['STATUS', (row) => row.status],
          ['KNOWN', (row) => (row.aware as Answer | undefined)?.from],
          ['PERSONS', (row) => (row.persons as Answer | undefined)?.count],
          ['SERIOUS', (row) => (row.risk as Answer | undefined)?.serious],
          ['WHOSE', (row) => row.organisation ?? 'the whole record'],
          ['FROM', (row) => Object.entries((row.from as Answer | null) ?? {})[0]],
        ],
      }),
  )
