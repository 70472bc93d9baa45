/** `dossier access issuers|clients|organisations|facilities`: an operator’s. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { Answer } from '../local/client/registry-client.ts'
import { ClusterFailure, messageOf } from '../local/failure.ts'
import { type AccessOptions, asking, change, operatorLogin, showList } from './access-command.ts'

interface IssuerOptions extends AccessOptions {
  readonly audience: string
  readonly algorithm: readonly string[]
  readonly jwks?: string
  readonly jwksUrl?: string
  readonly roleSystem?: string
  readonly organisation?: string
  readonly dpop?: true
  readonly oneTime?: true
  readonly patientSystem?: string
  readonly patientAcr?: readonly string[]
}

export function issuersCommand(): Command {
  const add = asking('add <issuer>', 'register an issuer, or replace what is registered of it')
    .requiredOption('--audience <name>', '`aud` of its tokens')
    .requiredOption('--algorithm <name...>', 'signature algorithms, e.g. ES256')
    .option('--jwks <file>', 'its public keys, a JWK set')
    .option('--jwks-url <url>', 'where its public keys are fetched from')
    .option('--role-system <uri>', 'code system of the roles in its tokens (default: not checked)')
    .option('--organisation <id>', 'the only organisation it vouches for (default: the whole record)')
    .option('--dpop', 'its tokens must be bound to a key (RFC 9449)')
    .option('--one-time', 'each of its tokens is good for one request')
    .option('--patient-system <uri>', 'identifier system of the patients it vouches for')
    .option('--patient-acr <name...>', 'authentication classes at which it does')
    .action((issuer: string, options: IssuerOptions) =>
      change(options, operatorLogin, '/access/issuers', issuerBody(issuer, options)),
    )
  return new Command('issuers')
    .description('whose tokens count')
    .addCommand(
      asking('list', 'the trusted issuers and their keys').action((options: AccessOptions) =>
        showList(options, operatorLogin, {
          path: '/access/issuers',
          member: 'issuers',
          columns: [
            ['ISSUER', (row) => row.issuer],
            ['AUDIENCE', (row) => row.audience],
            ['ALGORITHMS', (row) => row.algorithms],
            [
              'KEYS',
              (row) => (row.keys as Answer[]).map(({ kid, revoked }) => (revoked ? `${kid}(revoked)` : kid)),
            ],
            ['ORGANISATION', (row) => row.organisation],
          ],
        }),
      ),
    )
    .addCommand(add)
    .addCommand(
      asking('end <issuer>', 'trust it no longer').action((issuer: string, options: AccessOptions) =>
        change(options, operatorLogin, '/access/issuers/end', { issuer }),
      ),
    )
}

/** Of `POST /access/issuers`. */
export const issuerBody = (issuer: string, options: Omit<IssuerOptions, keyof AccessOptions>) => ({
  issuer,
  audience: options.audience,
  algorithms: options.algorithm,
  jwks: options.jwks === undefined ? undefined : readKeys(options.jwks),
  jwksUrl: options.jwksUrl,
  roleSystem: options.roleSystem,
  organisation: options.organisation,
  requiresDpop: options.dpop,
  oneTime: options.oneTime,
  patientSystem: options.patientSystem,
  patientAcr: options.patientAcr,
})

function readKeys(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ClusterFailure(`The keys cannot be read from ${file}: ${messageOf(error)}`)
  }
}

interface ClientOptions extends AccessOptions {
  readonly issuer: string
  readonly name: string
  readonly facility?: string
  readonly origin?: readonly string[]
}

export function clientsCommand(): Command {
  return new Command('clients')
    .description('the software that may carry tokens')
    .addCommand(
      asking('list', 'the registered clients').action((options: AccessOptions) =>
        showList(options, operatorLogin, {
          path: '/access/clients',
          member: 'clients',
          columns: [
            ['CLIENT', (row) => row.clientId],
            ['NAME', (row) => row.name],
            ['SPEAKS FOR', (row) => row.facility],
            ['ISSUER', (row) => row.issuer],
            ['ORIGINS', (row) => row.origins],
          ],
        }),
      ),
    )
    .addCommand(
      asking('add <client>', 'register a client, or replace what is registered of it')
        .requiredOption('--issuer <issuer>', 'which issues its tokens')
        .requiredOption('--name <name>', 'as people read it')
        .option('--facility <id>', 'the facility it speaks for (default: it carries professionals’ tokens)')
        .option('--origin <origin...>', 'of its pages, where it runs in a browser, e.g. https://app.example')
        .action((clientId: string, { issuer, name, facility, origin, ...options }: ClientOptions) =>
          change(options, operatorLogin, '/access/clients', {
            issuer,
            clientId,
            name,
            facility,
            origins: origin,
          }),
        ),
    )
    .addCommand(
      asking('end <client>', 'let it carry no more tokens')
        .requiredOption('--issuer <issuer>', 'which issues its tokens')
        .action((clientId: string, { issuer, ...options }: ClientOptions) =>
          change(options, operatorLogin, '/access/clients/end', { issuer, clientId }),
        ),
    )
}

export function organisationsCommand(): Command {
  return new Command('organisations')
    .description('who answers for facilities')
    .addCommand(
      asking('list', 'the registered organisations').action((options: AccessOptions) =>
        showList(options, operatorLogin, {
          path: '/access/organisations',
          member: 'organisations',
          columns: [
            ['ORGANISATION', (row) => row.id],
            ['NAME', (row) => row.name],
          ],
        }),
      ),
    )
    .addCommand(
      asking('add <id>', 'register an organisation, or rename it')
        .requiredOption('--name <name>', 'as people read it')
        .action((id: string, { name, ...options }: AccessOptions & { readonly name: string }) =>
          change(options, operatorLogin, '/access/organisations', { id, name }),
        ),
    )
    .addCommand(
      asking('end <id>', 'end an organisation without facilities').action(
        (id: string, options: AccessOptions) =>
          change(options, operatorLogin, '/access/organisations/end', { id }),
      ),
    )
}

interface FacilityOptions extends AccessOptions {
  readonly uri: string
  readonly name: string
  readonly organisation: string
  readonly type: string
  readonly region: string
  readonly log: string
  readonly identitySystem?: readonly string[]
}

export function facilitiesCommand(): Command {
  return new Command('facilities')
    .description('where care is given')
    .addCommand(
      asking('list', 'the registered facilities').action((options: AccessOptions) =>
        showList(options, operatorLogin, {
          path: '/access/facilities',
          member: 'facilities',
          columns: [
            ['FACILITY', (row) => row.id],
            ['NAME', (row) => row.name],
            ['TYPE', (row) => row.type],
            ['ORGANISATION', (row) => row.organisation],
            ['REGION', (row) => row.region],
            ['LOG', (row) => row.log],
          ],
        }),
      ),
    )
    .addCommand(
      asking('add <id>', 'register a facility, or replace what is registered of it')
        .requiredOption('--uri <uri>', 'what tokens name it by')
        .requiredOption('--name <name>', 'as people read it')
        .requiredOption('--organisation <id>', 'which answers for it')
        .requiredOption('--type <code>', 'e.g. hospital, clinic, pharmacy')
        .requiredOption('--region <name>', 'whose local database is its own')
        .requiredOption('--log <name>', 'audit log of that region')
        .option('--identity-system <uri...>', 'identifier systems that identify its documents')
        .action((id: string, options: FacilityOptions) =>
          change(options, operatorLogin, '/access/facilities', {
            id,
            uri: options.uri,
            name: options.name,
            organisation: options.organisation,
            type: options.type,
            region: options.region,
            log: options.log,
            identitySystems: options.identitySystem,
          }),
        ),
    )
    .addCommand(
      asking('end <id>', 'end a facility').action((id: string, options: AccessOptions) =>
        change(options, operatorLogin, '/access/facilities/end', { id }),
      ),
    )
}
