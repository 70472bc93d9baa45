/** Exports of a published ledger, as an officer has them, or a patient. */
import type { Caller } from '../../../src/access/caller.ts'
import type { Disclosure, DisclosureStream, Page } from '../../../src/disclosure/operation.ts'
import { auditExport } from '../../../src/trail/export.ts'
import { openDatabase } from '../store/memory-database.ts'
import type { PublishedLedger } from './published-ledger.ts'

/** Null: of the whole record. */
const officerOf = (organisation: string | null): Caller => ({
  kind: 'privacy-officer',
  professional: 'bouchard',
  name: 'Bouchard',
  organisation,
})

export interface Asked {
  /** Of the officer. */
  readonly organisation?: string
  /** Another who asks; absent: an officer. */
  readonly caller?: Caller
  /** Source records in the order of the persons they were about, the last one that of today; absent: nobody is known. */
  readonly sources?: readonly (readonly string[])[]
  readonly policy?: string
  readonly served?: readonly string[]
  /** Subject of the token. */
  readonly subject?: string
}

/** @throws Error with the refusal */
export async function disclose(
  ledger: PublishedLedger,
  input: Record<string, unknown>,
  {
    organisation,
    caller = officerOf(organisation ?? null),
    sources = [],
    policy,
    served = ['east', 'west'],
    subject = 'bouchard',
  }: Asked = {},
): Promise<Disclosure> {
  const ctx = {
    query: auditExport.query.parse(input),
    keys: { cursorKey: new Uint8Array(32).fill(7) },
    presented: { issuer: 'https://identity.example', subject, clientId: 'officer-desk' },
    origin: 'https://record.example',
    now: Date.UTC(2026, 10, 22, 10),
    ledger: ledger.reader,
    auditLogs: ledger.auditLogs,
    logs: served,
    logPolicy: policy ?? null,
    load: loadOf(caller, sources),
  } as unknown as Parameters<typeof auditExport.handle>[0]
  const result = await auditExport.handle(ctx)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

/** What an operation of this caller reads from *records*. */
export function loadOf(caller: Caller, sources: readonly (readonly string[])[]) {
  const records = openDatabase('records')
  for (const [i, [first = '', ...later]] of sources.entries()) {
    records.rows('insert into source_record values (?, ?, ?, 1)', `source-${i}`, 'hopital', first)
    for (const [n, person] of later.entries())
      records.rows(
        'update source_record set person = ?, clock = ? where id = ?',
        person,
        n + 2,
        `source-${i}`,
      )
  }
  return async (page: (asker: never) => Page) => ({
    ok: true,
    value: { caller, records: await records.read(page(undefined as never).records ?? []) },
  })
}

export function chunksOf({ body }: Disclosure): DisclosureStream['chunks'] {
  if (typeof body === 'string') throw new Error('an export streams')
  return body.chunks
}

export async function exportedText(...asked: Parameters<typeof disclose>): Promise<string> {
  let text = ''
  for await (const { bytes } of chunksOf(await disclose(...asked))) text += new TextDecoder().decode(bytes)
  return text
}
