/** Who uses the register, and how one of its consents is told to them. */
import * as z from 'zod'
import type { Caller } from '../access/caller.ts'
import type { Disclosure, OperationContext } from '../disclosure/operation.ts'
import { etagOf } from '../fhir/not-modified.ts'
import type { Rows } from '../store/ports.ts'
import { firstRow } from '../store/rows.ts'
import { consentResource } from './consent-resource.ts'
import { type StoredConsent, storedConsent } from './consent-sql.ts'
import { decideKeeper } from './keeper.ts'

export type Registrant = Extract<Caller, { kind: 'patient' | 'guardian' | 'privacy-officer' }>

export const isRegistrant = (caller: Caller): caller is Registrant =>
  caller.kind === 'patient' || caller.kind === 'guardian' || caller.kind === 'privacy-officer'

export const fhirJson = 'application/fhir+json; charset=utf-8'
export const consentId = z.object({ id: z.string() })
export const consentPath = '/fhir/Consent/:id{[A-Za-z0-9.-]{1,64}}'

/** The current version in a result of `currentConsent`, when it is this caller's business; else it is not there. */
export function ownConsent(
  caller: Caller,
  rows: Rows | undefined,
): (StoredConsent & { person: string }) | null {
  const row = firstRow(rows)
  if (!row || !isRegistrant(caller)) return null
  const person = decideKeeper(caller, String(row.person), JSON.parse(String(row.organisations)) as string[])
  return person.ok ? { ...storedConsent(row), person: person.value } : null
}

export const consentReference = ({ id, version }: Pick<StoredConsent, 'id' | 'version'>): string =>
  `Consent/${id}/_history/${version}`

export const answerWith = (
  { origin }: Pick<OperationContext<unknown, unknown>, 'origin'>,
  stored: StoredConsent,
  person: string,
  reason: string,
  status: 200 | 201,
  clock: string,
): Disclosure => ({
  status,
  contentType: fhirJson,
  headers: {
    'Dossier-Clock': clock,
    ETag: etagOf(stored),
    'Last-Modified': new Date(stored.recordedAt).toUTCString(),
    ...(status === 201 ? { Location: `${origin}/fhir/${consentReference(stored)}` } : {}),
  },
  body: JSON.stringify(consentResource(stored)),
  disclosed: [{ patient: person, resources: [consentReference(stored)] }],
  reason,
})
