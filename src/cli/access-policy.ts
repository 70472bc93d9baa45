/** `dossier access revoke|policy`: an operator’s. */
import { Command } from 'commander'
import { type Answer, askRegistry } from '../local/client/registry-client.ts'
import { ClusterFailure } from '../local/failure.ts'
import { type AccessOptions, asking, change, operatorLogin, print, reach, tableOf } from './access-command.ts'

interface RevokeOptions extends AccessOptions {
  readonly issuer: string
  readonly jti: string
  readonly kid?: string
  readonly thumbprint?: string
}

const revocations = '/access/revocations'

export function revokeCommand(): Command {
  return new Command('revoke')
    .description('a token or a key that must never count again; there is no way back')
    .addCommand(
      asking('token', 'one token')
        .requiredOption('--issuer <issuer>', 'which issued it')
        .requiredOption('--jti <id>', 'its `jti`')
        .action(({ issuer, jti, ...options }: RevokeOptions) =>
          change(options, operatorLogin, revocations, { token: { issuer, jti } }),
        ),
    )
    .addCommand(
      asking('key', 'one key of an issuer')
        .requiredOption('--issuer <issuer>', 'whose it is')
        .option('--kid <name>', 'its name in the issuer’s key set')
        .option('--thumbprint <sha256>', 'its RFC 7638 thumbprint, base64url')
        .action(({ issuer, kid, thumbprint, ...options }: RevokeOptions) =>
          change(options, operatorLogin, revocations, { key: { issuer, kid, thumbprint } }),
        ),
    )
}

export function policyCommand(): Command {
  const cell = (name: string, path: string, description: string): Command =>
    asking(
      `${name} <role> <facility-type> <purpose> <domain>`,
      `${description}; * stands for any but a domain`,
    ).action((role: string, facilityType: string, purpose: string, domain: string, options: AccessOptions) =>
      change(options, operatorLogin, path, { role, facilityType, purpose, domain }),
    )
  return new Command('policy')
    .description('the policy as data')
    .addCommand(asking('show', 'settings, role matrix, clearances and sharing rules').action(show))
    .addCommand(
      asking('set <name> <value>', 'change a number or a switch (0 or 1)').action(
        (name: string, value: string, options: AccessOptions) =>
          change(options, operatorLogin, '/access/policy/settings', { name, value: numberOf(value) }),
      ),
    )
    .addCommand(cell('open', '/access/policy/role-domains', 'open a clinical domain to a role'))
    .addCommand(cell('close', '/access/policy/role-domains/end', 'close it again'))
}

function numberOf(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new ClusterFailure(`${value} is not a whole number.`)
  return Number(value)
}

async function show(options: AccessOptions): Promise<void> {
  const policy = await askRegistry(reach(options, operatorLogin), '/access/policy')
  print(options.json ? JSON.stringify(policy, null, 2) : policyTables(policy))
}

/** The four parts of the policy, each a table. */
export function policyTables(policy: Answer): string {
  const settings = Object.entries(policy.settings as Answer).map(([name, value]) => ({ name, value }))
  return [
    tableOf(
      [
        ['SETTING', (row) => row.name],
        ['VALUE', (row) => row.value],
      ],
      settings,
    ),
    tableOf(
      [
        ['ROLE', (row) => row.role],
        ['FACILITY TYPE', (row) => row.facilityType],
        ['PURPOSE', (row) => row.purpose],
        ['DOMAIN', (row) => row.domain],
      ],
      policy.roleDomains as readonly Answer[],
    ),
    tableOf(
      [
        ['ROLE', (row) => row.role],
        ['FACILITY TYPE', (row) => row.facilityType],
        ['PURPOSE', (row) => row.purpose],
        ['OWN UP TO', (row) => row.own],
        ['OTHERS UP TO', (row) => row.elsewhere],
      ],
      policy.clearances as readonly Answer[],
    ),
    tableOf(
      [
        ['POSITION', (row) => row.position],
        ['DOMAIN', (row) => row.domain],
        ['TYPE', (row) => row.type],
        ['CATEGORY', (row) => row.category],
        ['CODE', (row) => row.code],
        ['CONFIDENTIALITY', (row) => row.confidentiality],
        ['SHARED', (row) => row.shared],
      ],
      policy.sharingRules as readonly Answer[],
    ),
  ].join('\n\n')
}
