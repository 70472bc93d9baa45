/** Writes the sample directory and this cluster's identity provider into the registry tables of *records*. */
import { createHash } from 'node:crypto'
import type { JWK } from 'jose'
import type { Statement, Writer } from '../store/ports.ts'
import {
  clients,
  facilities,
  healthInsuranceSystem,
  organisations,
  professionals,
  regions,
  roleSystem,
  verifiedIdentity,
} from './sample/directory.ts'
import { personIdentifierSystems, roleClearances, roleDomains, sharingRules } from './sample/policy.ts'

export interface Provider {
  /** Every issuer this cluster ever had, the current one last. */
  readonly issuers: readonly string[]
  readonly audience: string
  /** Public keys of the current one. */
  readonly keys: readonly JWK[]
}

/**
 * One write batch, keyed by its content: a start that changes nothing writes nothing and leaves the clock alone. A row is
 * added only where the registry never had one for its key, so that what an operator ended stays ended. A changed issuer
 * or key set ends the issuer's row and adds a new one; people and clients follow it to the new issuer.
 */
export async function seedRegistry(
  writer: Writer,
  provider: Provider,
): Promise<{ readonly changed: boolean }> {
  const statements = seedStatements(provider)
  const digest = createHash('sha256').update(JSON.stringify(statements)).digest('hex')
  const { replayed } = await writer.write(`registry-${digest}`, statements)
  return { changed: !replayed }
}

/** Every statement finds the batch's own clock value in `clock`. */
export function seedStatements(provider: Provider): readonly Statement[] {
  return [
    ...directoryStatements(),
    ...issuerStatements(provider),
    ...peopleStatements(provider),
    ...policyStatements(),
  ]
}

function directoryStatements(): readonly Statement[] {
  const logOf = (region: string): string => regions.find(({ name }) => name === region)?.log ?? ''
  return [
    {
      sql: `insert into organisation (id, name, valid_from)
              select value ->> 'id', value ->> 'name', (select n from clock) from json_each(:rows)
              where value ->> 'id' not in (select id from organisation)`,
      args: { rows: JSON.stringify(organisations) },
    },
    {
      sql: `insert into facility (id, uri, name, organisation, type, region, log, valid_from)
              select value ->> 'id', value ->> 'uri', value ->> 'name', value ->> 'organisation', value ->> 'type',
                     value ->> 'region', value ->> 'log', (select n from clock) from json_each(:rows)
              where value ->> 'id' not in (select id from facility)`,
      args: {
        rows: JSON.stringify(facilities.map((facility) => ({ ...facility, log: logOf(facility.region) }))),
      },
    },
  ]
}

/** What an operator decided about the issuer (its organisation, how tokens are bound) goes on to its next row. */
function issuerStatements({ issuers, audience, keys }: Provider): readonly Statement[] {
  const issuer = issuers.at(-1) ?? ''
  const known = {
    issuer,
    audience,
    algorithms: JSON.stringify(['ES256']),
    jwks: JSON.stringify({ keys }),
    role_system: roleSystem,
    patient_system: healthInsuranceSystem,
    patient_acr: JSON.stringify([verifiedIdentity]),
  }
  return [
    {
      sql: `update issuer set valid_to = (select n from clock)
              where valid_to is null and issuer in (select value from json_each(:issuers))
                and (issuer, audience, algorithms, jwks, role_system, patient_system, patient_acr)
                  is not (:issuer, :audience, :algorithms, :jwks, :role_system, :patient_system, :patient_acr)`,
      args: { ...known, issuers: JSON.stringify(issuers) },
    },
    {
      sql: `insert into issuer (issuer, audience, algorithms, jwks, jwks_url, role_system, organisation,
                requires_dpop, one_time, patient_system, patient_acr, valid_from)
              select :issuer, :audience, :algorithms, :jwks, :jwks_url, :role_system, coalesce(last.organisation, ''),
                coalesce(last.requires_dpop, 0), coalesce(last.one_time, 0), :patient_system, :patient_acr, n
              from clock left join issuer as last on last.row = (
                select max(row) from issuer where issuer in (select value from json_each(:issuers)))
              where not exists (
                select 1 from issuer
                where row = (select max(row) from issuer where issuer = :issuer)
                  and (audience, algorithms, jwks, role_system, patient_system, patient_acr)
                    is (:audience, :algorithms, :jwks, :role_system, :patient_system, :patient_acr))`,
      args: { ...known, jwks_url: `${issuer}/jwks`, issuers: JSON.stringify(issuers) },
    },
  ]
}

function peopleStatements({ issuers }: Provider): readonly Statement[] {
  const issuer = issuers.at(-1) ?? ''
  const former = JSON.stringify(issuers.filter((candidate) => candidate !== issuer))
  return [
    // Who is registered under a former issuer of this cluster follows it; who was ended there stays ended.
    {
      sql: `insert into professional (id, issuer, subject, name, valid_from)
              select id, :issuer, subject, name, (select n from clock) from professional
              where valid_to is null and issuer in (select value from json_each(:former))`,
      args: { issuer, former },
    },
    {
      sql: `insert into client (issuer, client_id, name, facility, origins, valid_from)
              select :issuer, client_id, name, facility, origins, (select n from clock) from client
              where valid_to is null and issuer in (select value from json_each(:former))`,
      args: { issuer, former },
    },
    {
      sql: `update professional set valid_to = (select n from clock)
              where valid_to is null and issuer in (select value from json_each(:former))`,
      args: { former },
    },
    {
      sql: `update client set valid_to = (select n from clock)
              where valid_to is null and issuer in (select value from json_each(:former))`,
      args: { former },
    },
    // An ended registration held until this very write.
    {
      sql: `insert into professional (id, issuer, subject, name, valid_from, valid_to)
              select value ->> 'id', :issuer, value ->> 'login', value ->> 'name',
                     iif(value ->> 'ended', n - 1, n), iif(value ->> 'ended', n, null)
              from json_each(:rows), clock
              where value ->> 'id' not in (select id from professional)`,
      args: { issuer, rows: JSON.stringify(professionals) },
    },
    {
      sql: `insert into professional_role (professional, role, facility, organisation, valid_from)
              select value ->> 'professional', value ->> 'role', value ->> 'facility', value ->> 'organisation',
                     (select n from clock)
              from json_each(:rows)
              where (value ->> 'professional', value ->> 'role', value ->> 'facility', value ->> 'organisation')
                not in (select professional, role, facility, organisation from professional_role)`,
      args: {
        rows: JSON.stringify(
          professionals.flatMap(({ id, roles }) =>
            roles.map((role) => ({ professional: id, organisation: '', ...role })),
          ),
        ),
      },
    },
    {
      sql: `insert into client (issuer, client_id, name, facility, valid_from)
              select :issuer, value ->> 'clientId', value ->> 'name', value ->> 'facility', (select n from clock)
              from json_each(:rows)
              where value ->> 'clientId' not in (select client_id from client)`,
      args: { issuer, rows: JSON.stringify(clients) },
    },
  ]
}

function policyStatements(): readonly Statement[] {
  return [
    {
      sql: `insert into role_domain (role, facility_type, purpose, domain, valid_from)
              select value ->> 'role', value ->> 'facilityType', value ->> 'purpose', value ->> 'domain',
                     (select n from clock)
              from json_each(:rows)
              where (value ->> 'role', value ->> 'facilityType', value ->> 'purpose', value ->> 'domain')
                not in (select role, facility_type, purpose, domain from role_domain)`,
      args: { rows: JSON.stringify(roleDomains) },
    },
    {
      sql: `insert into role_clearance (role, facility_type, purpose, own, elsewhere, valid_from)
              select value ->> 'role', value ->> 'facilityType', value ->> 'purpose', value ->> 'own',
                     value ->> 'elsewhere', (select n from clock)
              from json_each(:rows)
              where (value ->> 'role', value ->> 'facilityType', value ->> 'purpose')
                not in (select role, facility_type, purpose from role_clearance)`,
      args: { rows: JSON.stringify(roleClearances) },
    },
    {
      sql: `insert into sharing_rule (position, domain, type, category, code, confidentiality, shared, valid_from)
              select value ->> 'position', value ->> 'domain', value ->> 'type', value ->> 'category', value ->> 'code',
                     value ->> 'confidentiality', value ->> 'shared', (select n from clock)
              from json_each(:rows)
              where value ->> 'position' not in (select position from sharing_rule)`,
      // Gaps, so that an operator can put a rule between two.
      args: {
        rows: JSON.stringify(sharingRules.map((rule, index) => ({ position: (index + 1) * 10, ...rule }))),
      },
    },
    {
      sql: `insert into person_identifier_system (system, valid_from)
              select value, (select n from clock) from json_each(:rows)
              where value not in (select system from person_identifier_system)`,
      args: { rows: JSON.stringify(personIdentifierSystems) },
    },
  ]
}
