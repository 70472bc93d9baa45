/** `dossier access professionals|roles|requests`: an access manager’s. */
import { Command } from 'commander'
import {
  type AccessOptions,
  asking,
  change,
  managerLogin,
  operatorLogin,
  showList,
} from './access-command.ts'

interface ProfessionalOptions extends AccessOptions {
  readonly issuer: string
  readonly subject: string
  readonly name: string
  readonly id?: string
}

export function professionalsCommand(): Command {
  return new Command('professionals')
    .description('which login is which person')
    .addCommand(
      asking('list', 'the professionals of a facility')
        .option('--facility <id>', 'which (default: a manager’s own; to an operator, everybody)')
        .action(({ facility, ...options }: AccessOptions & { readonly facility?: string }) =>
          showList(options, managerLogin, {
            path: '/access/professionals',
            query: { facility },
            member: 'professionals',
            columns: [
              ['PROFESSIONAL', (row) => row.id],
              ['NAME', (row) => row.name],
              ['SUBJECT', (row) => row.subject],
              ['ISSUER', (row) => row.issuer],
            ],
          }),
        ),
    )
    .addCommand(
      asking('add', 'register a login')
        .requiredOption('--issuer <issuer>', 'which issues their tokens')
        .requiredOption('--subject <name>', '`sub` of their tokens')
        .requiredOption('--name <name>', 'as people read it')
        .option('--id <id>', 'registry id (default: the one they had, else a new one)')
        .action(({ issuer, subject, name, id, ...options }: ProfessionalOptions) =>
          change(options, managerLogin, '/access/professionals', { issuer, subject, name, id }),
        ),
    )
    .addCommand(
      asking('end <professional>', 'suspend somebody everywhere (operators)').action(
        (professional: string, options: AccessOptions) =>
          change(options, operatorLogin, '/access/professionals/end', { professional }),
      ),
    )
}

interface RoleOptions extends AccessOptions {
  readonly facility?: string
  readonly organisation?: string
}

const roleCommand = (name: string, path: string, description: string): Command =>
  asking(`${name} <professional> <role>`, description)
    .option('--facility <id>', 'where (default: a manager’s own)')
    .option('--organisation <id>', 'of a privacy officer (default: the whole record)')
    .action((professional: string, role: string, { facility, organisation, ...options }: RoleOptions) =>
      change(options, managerLogin, path, { professional, role, facility, organisation }),
    )

export function rolesCommand(): Command {
  return new Command('roles')
    .description('who acts as what, where')
    .addCommand(
      asking('list', 'the roles of a facility, those confirmed longest ago first')
        .option(
          '--facility <id>',
          'which (default: a manager’s own; to an operator, the offices of the record)',
        )
        .option('--due <day>', 'only those not confirmed in the year before this day, e.g. 2026-11-22')
        .action(({ facility, due, ...options }: RoleOptions & { readonly due?: string }) =>
          showList(options, managerLogin, {
            path: '/access/roles',
            query: { facility, due },
            member: 'roles',
            columns: [
              ['PROFESSIONAL', (row) => row.professional],
              ['NAME', (row) => (row.registered ? row.name : `${row.name} (suspended)`)],
              ['ROLE', (row) => row.role],
              ['WHERE', (row) => row.facility ?? row.organisation ?? 'the whole record'],
              ['GRANTED BY', (row) => row.grantedBy],
              [
                'CONFIRMED',
                (row) => (row.certifiedAt === null ? 'never' : String(row.certifiedAt).slice(0, 10)),
              ],
            ],
          }),
        ),
    )
    .addCommand(roleCommand('grant', '/access/roles', 'grant a role'))
    .addCommand(roleCommand('end', '/access/roles/end', 'end a role'))
    .addCommand(roleCommand('certify', '/access/roles/certify', 'confirm that a role is still needed'))
}

export function requestsCommand(): Command {
  const decide = (name: string, decision: string): Command =>
    asking(`${name} <request>`, `${name} what somebody else asked for`).action(
      (request: string, options: AccessOptions) =>
        change(options, managerLogin, `/access/role-requests/${encodeURIComponent(request)}`, { decision }),
    )
  return new Command('requests')
    .description('what two persons must agree on')
    .addCommand(
      asking('list', 'the open requests')
        .option('--facility <id>', 'of which (default: a manager’s own; to an operator, all)')
        .action(({ facility, ...options }: RoleOptions) =>
          showList(options, managerLogin, {
            path: '/access/role-requests',
            query: { facility },
            member: 'requests',
            columns: [
              ['REQUEST', (row) => row.id],
              ['ACTION', (row) => row.action],
              ['PROFESSIONAL', (row) => row.professional],
              ['ROLE', (row) => row.role],
              ['WHERE', (row) => row.facility ?? row.organisation ?? 'the whole record'],
              ['ASKED BY', (row) => row.requestedBy],
              ['ASKED', (row) => String(row.requestedAt).slice(0, 10)],
            ],
          }),
        ),
    )
    .addCommand(decide('approve', 'approved'))
    .addCommand(decide('reject', 'rejected'))
}
