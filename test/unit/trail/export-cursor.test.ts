/** What somebody could get by going on with an export that was not meant for who they are now, or as the log is now. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import type { DisclosureStream } from '../../../src/disclosure/operation.ts'
import { SampleLog } from '../audit/verify/sample-log.ts'
import { type Asked, chunksOf, disclose } from './exported.ts'
import { PublishedLedger } from './published-ledger.ts'

const served = ['east', 'west', 'west-2']
const patient: Caller = { kind: 'patient', person: 'p1', name: '', assurance: 'a' }
const guardian: Caller = { ...patient, kind: 'guardian', guardian: 'g' }

let ledger: PublishedLedger
let logs: readonly [east: SampleLog, west: SampleLog, later: SampleLog]

beforeEach(() => {
  ledger = new PublishedLedger()
  logs = [new SampleLog('east'), new SampleLog('west'), new SampleLog('west-2')]
  const [east, west, later] = logs
  for (let i = 0; i < 20; i++) {
    east.append({ patient: `p${i % 3}`, organisation: 'o1' })
    west.append({ patient: 'p1', organisation: 'o1' })
  }
  later.append({ patient: 'p2' })
  publish()
})

const publish = (): void => {
  for (const log of logs.toReversed()) ledger.publish(log)
}

async function begun(input: Record<string, unknown>, asked: Asked = { served }): Promise<string> {
  const { headers } = await disclose(ledger, input, asked)
  return headers?.['Dossier-Export-Cursor'] ?? ''
}

const all = async (chunks: DisclosureStream['chunks']): Promise<void> => {
  for await (const _ of chunks);
}

/** Whom the log names before each piece of the rest leaves. */
async function rest(cursor: string, after: string, asked: Asked = { served }) {
  const chunks: { readonly patients: readonly string[]; readonly text: string }[] = []
  for await (const { patients, bytes } of chunksOf(await disclose(ledger, { _cursor: cursor, after }, asked)))
    chunks.push({ patients, text: new TextDecoder().decode(bytes) })
  return chunks
}

describe('who was an officer, and has a record of their own, does not go on as a patient with', () => {
  test.each<readonly [string, Record<string, string>]>([
    ['all of the log', {}],
    ['all that one professional did', { practitioner: 'professional-1' }],
    ['all of a period', { from: '2026-11-22T09:00:00.000Z' }],
    ['one log', { log: 'east' }],
    ['the record of another', { patient: 'p2' }],
    ['what an organisation did', { organisation: 'o1' }],
  ])('%s', async (_, input) => {
    const cursor = await begun(input)
    for (const caller of [patient, guardian])
      await expect(rest(cursor, 'east/3', { served, caller })).rejects.toThrow(
        /_cursor|person-unknown|organisation/,
      )
  })

  test('but with what is about themselves', async () => {
    const cursor = await begun({}, { served, caller: patient })
    expect((await rest(cursor, 'west/18', { served, caller: patient })).map(({ text }) => text)).toEqual([
      expect.stringContaining('"index":"19"'),
    ])
  })
})

describe('each part of an export has in the log before it leaves', () => {
  test('whose chain it is, also where all that is left of it is gone', async () => {
    logs[0].redact(logs[0].append({ patient: 'p5' }))
    logs[0].redact(logs[0].append({ patient: 'p5' }))
    publish()
    const cursor = await begun({ patient: 'p5' })
    const chunks = await rest(cursor, 'east/20')
    expect(chunks.map(({ text }) => text).join('')).toContain('"redacted"')
    expect(chunks.find(({ text }) => text !== '')?.patients).toEqual(['p5'])
  })

  test('every id that a line names', async () => {
    const joined: Asked = { served, sources: [['p5', 'p1'], ['p1']] }
    logs[0].redact(logs[0].append({ patient: 'p5' }))
    publish()
    const cursor = await begun({ patient: 'p1' }, joined)
    const chunks = await rest(cursor, 'east/19', joined)
    const [first] = chunks.filter(({ text }) => text.includes('"chain":"p5"'))
    expect(first?.patients).toEqual(['p1', 'p5'])
  })
})

describe('an export breaks off where a body went meanwhile', () => {
  test.each<readonly [string, Record<string, unknown>]>([
    ['of all', {}],
    ['of one log', { log: 'west' }],
    ['of a chain', { patient: 'p1' }],
  ])('by an entry of a later log that the file cannot prove: %s', async (_, input) => {
    const cursor = await begun(input)
    const begunBefore = chunksOf(await disclose(ledger, input, { served }))
    logs[1].prune(10, [], logs[2])
    publish()
    await expect(rest(cursor, 'west/2')).rejects.toThrow('was pruned while it was being exported')
    await expect(all(begunBefore)).rejects.toThrow('was pruned while it was being exported')
  })
})

test('whoever goes on with a long chain and leaves does not make it be read to its end', async () => {
  for (let i = 0; i < 1500; i++) logs[0].append({ patient: 'p7' })
  publish()
  const cursor = await begun({ patient: 'p7' })
  const chunks = chunksOf(await disclose(ledger, { _cursor: cursor, after: 'east/1510' }, { served }))[
    Symbol.asyncIterator
  ]()
  ledger.asked.length = 0
  await chunks.next()
  await chunks.return?.()
  const pages = ledger.asked.filter(({ sql }) => sql.includes('indexed by ledger_body_patient'))
  expect(pages.length).toBeGreaterThan(0)
  expect(pages.length).toBeLessThan(5)
})
