/** `dossier token`: a token of the local identity provider on standard output, for scripts. */
import { Command } from 'commander'
import { ClusterFailure } from '../local/failure.ts'
import { purposes } from '../local/identity/claims.ts'
import { obtainToken } from '../local/obtain-token.ts'
import { clients, holders, professionals } from '../local/sample/directory.ts'
import { localTokenSource } from './cluster-file.ts'

interface TokenCommandOptions {
  readonly as?: string
  readonly purpose?: string
  readonly scope?: string
  readonly list?: true
}

export function tokenCommand(): Command {
  return new Command('token')
    .description('print an access token (JWT) of the local cluster’s identity provider')
    .option('--as <name>', 'login of a person, or system-<facility> (see --list)')
    .option('--purpose <code>', `purpose of use: ${purposes.join(', ')}`)
    .option(
      '--scope <scopes>',
      'further scopes: facility=<id> and subject_role=<role> choose among several roles, patient=<id> names the patient in context, SMART scopes narrow the token',
    )
    .option('--list', 'name the people of the sample, their roles and facilities, and the facility systems')
    .action(async ({ as, list, ...options }: TokenCommandOptions) => {
      if (list) {
        process.stdout.write(`${listing()}\n`)
        return
      }
      if (as === undefined) {
        throw new ClusterFailure('Say for whom: --as NAME ("dossier token --list" names everybody).')
      }
      process.stdout.write(`${await obtainToken(localTokenSource(), as, options)}\n`)
    })
}

/** One line per person and role, then one per facility system, in columns. */
export function listing(): string {
  const people = professionals.flatMap(({ login, name, roles, ended }) =>
    roles.map(({ role, facility, organisation }) => [
      login,
      ended ? `${name} (registration ended)` : name,
      role,
      facility || organisation || 'the whole record',
    ]),
  )
  const patients = holders.flatMap(({ login, name, roles }) =>
    roles.map((role) => [login, name, role, role === 'guardian' ? 'a child’s record' : 'their own record']),
  )
  const systems = clients.flatMap(({ clientId, name, facility }) =>
    facility === null ? [] : [[clientId, name, 'facility system', facility]],
  )
  const rows = [['NAME', 'WHO', 'ROLE', 'FACILITY'], ...people, ...patients, ...systems]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
