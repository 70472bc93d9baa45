/** Exports of a published ledger, as an officer has them. */
import type { Caller } from '../../../src/access/caller.ts'
import type { Disclosure, DisclosureStream } from '../../../src/disclosure/operation.ts'
import { auditExport } from '../../../src/trail/export.ts'
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
  readonly policy?: string
  readonly served?: readonly string[]
}

/** @throws Error with the refusal */
export async function disclose(
  ledger: PublishedLedger,
  input: Record<string, unknown>,
  { organisation, policy, served = ['east', 'west'] }: Asked = {},
): Promise<Disclosure> {
  const ctx = {
    query: auditExport.query.parse(input),
    origin: 'https://record.example',
    now: Date.UTC(2026, 10, 22, 10),
    ledger: ledger.reader,
    auditLogs: ledger.auditLogs,
    logs: served,
    logPolicy: policy ?? null,
    load: async () => ({ ok: true, value: { caller: officerOf(organisation ?? null) } }),
  } as unknown as Parameters<typeof auditExport.handle>[0]
  const result = await auditExport.handle(ctx)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
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
