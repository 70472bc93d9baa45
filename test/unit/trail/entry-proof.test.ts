import { beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { leafOf, sha256 } from '../../../src/audit/commitment.ts'
import { parseCheckpoint } from '../../../src/audit/tlog/checkpoint.ts'
import { leafHash } from '../../../src/audit/tlog/hash.ts'
import { parseNote } from '../../../src/audit/tlog/note.ts'
import { verifyInclusion } from '../../../src/audit/tlog/proof.ts'
import { parseTlogProof } from '../../../src/audit/tlog/tlog-proof.ts'
import type { Disclosure } from '../../../src/disclosure/operation.ts'
import type { Refusal } from '../../../src/disclosure/refusal.ts'
import { auditReason, toWire } from '../../../src/disclosure/wire.ts'
import type { Result } from '../../../src/result.ts'
import { entryProof } from '../../../src/trail/entry-proof.ts'
import { policyText, sampleLog, tlogProof } from '../audit/verify/sample-files.ts'
import type { SampleLog } from '../audit/verify/sample-log.ts'
import { loadOf } from './exported.ts'
import { PublishedLedger } from './published-ledger.ts'

const officer = (organisation: string | null): Caller => ({
  kind: 'privacy-officer',
  professional: 'bouchard',
  name: 'Bouchard',
  organisation,
})
const patient = (person: string): Caller => ({ kind: 'patient', person, name: '', assurance: 'a' })
const guardian = (person: string): Caller => ({
  kind: 'guardian',
  person,
  guardian: 'p1',
  name: '',
  assurance: 'a',
})

let ledger: PublishedLedger
/** Entries 3, 10 and 11 are redacted; entry 4 is about p4, by organisation o1. */
let log: SampleLog

beforeEach(() => {
  ledger = new PublishedLedger()
  log = sampleLog('east', 60, true)
  ledger.publish(log)
})

interface Asked {
  readonly prefer?: string
  readonly policy?: string
  /** Persons of each source record, one after the other. */
  readonly sources?: readonly (readonly string[])[]
}

async function ask(
  caller: Caller,
  index: number | string,
  { prefer, policy, sources = [] }: Asked = {},
  name = 'east',
): Promise<Result<Disclosure, Refusal>> {
  return await entryProof.handle({
    param: entryProof.param.parse({ log: name, index: String(index) }),
    query: {},
    ledger: ledger.reader,
    auditLogs: ledger.auditLogs,
    logs: ['east'],
    logPolicy: policy ?? null,
    prefer: prefer ?? null,
    load: loadOf(caller, sources),
  } as unknown as Parameters<typeof entryProof.handle>[0])
}

async function disclosed(...asked: Parameters<typeof ask>): Promise<Disclosure> {
  const result = await ask(...asked)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

/** What the wire says, and the audit entry: reason, detail and patient. */
async function refused(...asked: Parameters<typeof ask>) {
  const result = await ask(...asked)
  if (result.ok) throw new Error('it was permitted')
  const { status, issues } = toWire(result.error)
  const { reason, detail } = auditReason(result.error)
  const about = 'patient' in result.error ? result.error.patient : undefined
  return { wire: { status, issues }, audit: [reason, detail, about] }
}

describe('the proof of an entry', () => {
  test.each<[string, Caller]>([
    ['the officer of the whole record', officer(null)],
    ['the officer of the organisation whose access it was', officer('o1')],
    ['the patient it is about', patient('p4')],
    ['a guardian of the patient it is about', guardian('p4')],
  ])('opens it to %s, with its way to a checkpoint', async (_, caller) => {
    const { body, status, contentType, headers, disclosed: about, note } = await disclosed(caller, 4)
    expect([status, contentType]).toEqual([200, 'text/plain; charset=utf-8'])
    expect(headers).toEqual({ 'Content-Disposition': 'attachment; filename="east-4.tlog-proof"' })
    expect([about, note]).toEqual([[{ patient: 'p4', resources: [] }], { entry: 'east/4' }])
    expect(body).toBe(await tlogProof(log, 4))
    const proof = parseTlogProof(body as string)
    const [salt, text] = [proof.extra?.slice(0, 32), new TextDecoder().decode(proof.extra?.slice(32))]
    const { size, root } = parseCheckpoint(parseNote(proof.checkpoint).text)
    const leaf = leafHash(sha256, leafOf(salt as Uint8Array, text))
    expect(verifyInclusion(sha256, { leafHash: leaf, index: 4n, size, path: proof.path, root })).toBe(true)
  })

  test('is not there for anybody else, as if there were no such entry', async () => {
    const unknown = await refused(patient('p1'), 5_000)
    expect(unknown.wire.status).toBe(404)
    for (const caller of [patient('p1'), guardian('p1'), officer('o2')]) {
      const other = await refused(caller, 4)
      expect(other.wire).toEqual(unknown.wire)
      // Whoever tried is in the chain of the patient.
      expect(other.audit.slice(1)).toEqual(['east/4', 'p4'])
      // Redacted: index 10.
      expect((await refused(caller, 10)).wire).toEqual(unknown.wire)
      // About nobody, by organisation o0.
      expect((await refused(caller, 6)).wire).toEqual(unknown.wire)
    }
    expect((await refused(officer('o2'), 4)).audit[0]).toBe('not-own-organisation')
    expect((await refused(officer(null), 4, {}, 'west')).wire).toEqual(unknown.wire)
  })

  test.each<[string, number, Caller, (readonly string[])[]]>([
    ['an earlier id of the patient', 200, patient('p9'), [['p9'], ['p4', 'p9']]],
    ['an earlier id of the ward', 200, guardian('p9'), [['p9'], ['p4', 'p9']]],
    [
      'an id that a stranger had too',
      404,
      patient('p9'),
      [
        ['p4', 'p9'],
        ['s', 'p4', 's'],
      ],
    ],
    ['the id of another', 404, patient('p9'), [['p9'], ['p4']]],
  ])('about %s is answered with %i', async (_, status, caller, sources) => {
    if (status === 404) expect((await refused(caller, 4, { sources })).wire.status).toBe(404)
    else expect((await disclosed(caller, 4, { sources })).status).toBe(200)
  })

  test('of a redacted entry is told as such to the officer of the whole record, and to the log', async () => {
    const { wire, audit } = await refused(officer(null), 10)
    expect([wire.status, wire.issues[0]?.code]).toEqual([404, 'deleted'])
    expect(wire.issues[0]?.text.en).toContain(`entry ${log.entry(10).redacted}`)
    expect(audit).toEqual(['redacted', 'east/10', undefined])
    expect((await refused(officer('o1'), 10)).audit[0]).toBe('redacted')
  })

  test('of a pruned entry is told apart from a redacted one to the officer of the whole record alone, and to the log', async () => {
    ledger = new PublishedLedger()
    log = sampleLog('east', 60, true)
    const pruning = log.prune(8, [4])
    ledger.publish(log)
    const { wire, audit } = await refused(officer(null), 2)
    expect([wire.status, wire.issues[0]?.code, audit]).toEqual([
      404,
      'deleted',
      ['pruned', 'east/2', undefined],
    ])
    expect(wire.issues[0]?.text.en).toContain(`see entry east/${pruning}`)
    expect(wire.issues[0]?.text.fr).toContain(`voir l’entrée east/${pruning}`)
    expect((await refused(officer(null), 3)).audit[0]).toBe('redacted')
    expect((await refused(officer(null), 5_000)).audit[0]).toBe('not-found')
    expect((await disclosed(officer(null), 4)).status).toBe(200)
    // Whose it was nobody knows any more: also who it was about, or whose access it was, reads as of no entry.
    const unknown = await refused(patient('p2'), 5_000)
    for (const caller of [
      patient('p2'),
      patient('p1'),
      guardian('p2'),
      officer('o0'),
      officer('o1'),
      officer('o2'),
    ])
      for (const index of [2, 3]) expect((await refused(caller, index)).wire).toEqual(unknown.wire)
    expect((await refused(patient('p2'), 2)).audit).toEqual(['pruned', 'east/2', undefined])
  })

  test.each([
    ['somebody whose it is', patient('p2'), 202],
    ['somebody whose it is not', patient('p1'), 404],
    ['the officer of another organisation', officer('o0'), 404],
    ['the officer of the whole record', officer(null), 202],
  ])('that no checkpoint covers yet is to be asked for again, by %s', async (_, caller, status) => {
    const index = log.append({ patient: 'p2', organisation: 'o1' })
    ledger.publish(log, [])
    if (status === 404) expect((await refused(caller, index)).wire.status).toBe(404)
    else {
      const answer = await disclosed(caller, index)
      expect(answer).toMatchObject({ status: 202, headers: { 'Retry-After': '1' }, disclosed: [] })
      expect(answer.body).toBe('{"published":false}')
    }
  })

  test('that is not in the audit database yet is too; what the log does not have never comes', async () => {
    const index = log.append({ patient: 'p2' })
    expect((await disclosed(patient('p1'), index)).status).toBe(202)
    expect((await refused(patient('p1'), index + 1)).wire.status).toBe(404)
    ledger.silent.add('east')
    expect((await refused(patient('p1'), index)).wire.status).toBe(404)
  })

  test('of a log that is none is not asked for: asking would begin it', async () => {
    ledger.auditLogs.status = async () => {
      throw new Error('asked')
    }
    expect((await refused(patient('p1'), 0, {}, 'east-2')).wire.status).toBe(404)
    await expect(ask(patient('p1'), 5_000)).rejects.toThrow('asked')
  })

  test.each([
    ['wait=3', 3_000],
    ['respond-async, wait=5', 5_000],
    ['wait="2"', 2_000],
    ['wait = 60', 5_000],
    ['wait=99999999999', 0],
    ['waiting=3', 0],
    ['', 0],
  ])('comes when it is published, if the caller prefers to wait: %j', async (prefer, expectedMs) => {
    const index = log.append({ patient: 'p2' })
    let waitedMs = 0
    ledger.auditLogs.published = async (_, size, waitMs) => {
      expect(size).toBe(String(index + 1))
      waitedMs = waitMs
      ledger.publish(log)
      return true
    }
    const answer = await disclosed(patient('p2'), index, { prefer })
    expect([answer.status, waitedMs]).toEqual([expectedMs > 0 ? 200 : 202, expectedMs])
  })

  test('leads to a checkpoint that enough witnesses cosigned, where one covers it', async () => {
    const size = log.size
    const index = log.append({ patient: 'p2' })
    ledger.publish(log, [log.size], [])
    const sizeOf = async (at: number): Promise<bigint> => {
      const { body } = await disclosed(officer(null), at, { policy: policyText([log], 2) })
      return parseCheckpoint(parseNote(parseTlogProof(body as string).checkpoint).text).size
    }
    expect([await sizeOf(4), await sizeOf(index)]).toEqual([BigInt(size), BigInt(size + 1)])
  })

  test.each([
    { log: 'east', index: '01' },
    { log: 'east', index: '-1' },
    { log: 'east', index: '9007199254740993' },
    { log: 'East', index: '1' },
  ])('is not looked for under %j', (input) => {
    expect(entryProof.param.safeParse(input).success).toBe(false)
  })
})
