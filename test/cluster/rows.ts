/** Rows of *records* that tests write at the primary, as the operations of `governance/` would. */
import type { ClusterDatabase } from '../../src/local/cluster.ts'
import { hranaReader, hranaWriter } from '../../src/store/hrana.ts'
import type { Statement } from '../../src/store/ports.ts'

export interface Rule {
  readonly kind: 'refusal-total' | 'refusal-before' | 'restriction'
  readonly before?: string
  readonly actor?: readonly ['any' | 'professional' | 'role' | 'facility' | 'organisation', string]
  readonly what?: readonly ['any' | 'domain' | 'type' | 'document', string]
}

/** One write batch; `patient` is `Patient/id`, or the id. */
export async function forbid(primary: ClusterDatabase, patient: string, ...rules: Rule[]): Promise<void> {
  const consent = crypto.randomUUID()
  const sourceRecord = patient.replace('Patient/', '')
  await hranaWriter({ url: primary.url, token: primary.writeToken }).write(consent, [
    {
      sql: `insert into consent (id, version, source_record, status, body, recorded_at, recorded_by, capacity, means, system,
              valid_from)
            select :consent, 1, :sourceRecord, 'active', '{}', :at, 'test', 'patient', 'written', 'test', n from clock`,
      args: { consent, sourceRecord, at: new Date().toISOString() },
    },
    ...rules.map(
      ({ kind, before = '', actor = ['any', ''], what = ['any', ''] }): Statement => ({
        sql: `insert into consent_rule (consent, source_record, kind, before_date, actor_kind, actor, what_kind, what, valid_from)
              select ?, ?, ?, ?, ?, ?, ?, ?, n from clock`,
        args: [consent, sourceRecord, kind, before, ...actor, ...what],
      }),
    ),
  ])
}

/** For an hour, by one professional's word. */
export async function attest(
  primary: ClusterDatabase,
  patient: string,
  { professional, facility }: { readonly professional: string; readonly facility: string },
): Promise<void> {
  const key = crypto.randomUUID()
  await hranaWriter({ url: primary.url, token: primary.writeToken }).write(key, [
    {
      sql: `insert into relationship (kind, source_record, facility, professional, starts, ends, source, reason, recorded_by,
              valid_from)
            select 'attestation', ?, ?, ?, ?, ?, ?, 'test', ?, n from clock`,
      args: [
        patient.replace('Patient/', ''),
        facility,
        professional,
        Date.now(),
        Date.now() + 60 * 60_000,
        key,
        professional,
      ],
    },
  ])
}

/** Person id of a `Patient`. */
export async function personOf({ url, readToken }: ClusterDatabase, patient: string): Promise<string> {
  const sql = 'select person from source_record where id = ?'
  const [rows] = await hranaReader({ url, token: readToken }).read([
    { sql, args: [patient.replace('Patient/', '')] },
  ])
  return String(rows?.[0]?.person)
}
