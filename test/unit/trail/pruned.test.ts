/** What a retention policy let go, as exports, proofs and the scrub tell it. */
import { beforeEach, describe, expect, test } from 'vitest'
import { portableCrypto } from '../../../src/audit/verify/portable-crypto.ts'
import { verify } from '../../../src/audit/verify/verify.ts'
import { scrubBundle } from '../../../src/trail/scrub-entries.ts'
import { SampleLog } from '../audit/verify/sample-log.ts'
import { exportedText } from './exported.ts'
import { PublishedLedger } from './published-ledger.ts'

const served = ['east', 'west']

/** Of `east`, 0 to 399 went but for two and a redacted one; of `west`, 0 to 9, by an entry of `west-2`. */
function prunedLogs(): readonly [SampleLog, SampleLog, SampleLog] {
  const [east, west, later] = ['east', 'west', 'west-2'].map((name) => new SampleLog(name)) as [
    SampleLog,
    SampleLog,
    SampleLog,
  ]
  for (let i = 0; i < 700; i++) {
    if (i === 450) east.redact(396)
    east.append({ patient: i === 20 ? 'gone' : `p${i % 6}`, organisation: `o${i % 3}` })
  }
  for (let i = 0; i < 20; i++) west.append({ patient: 'p1', organisation: 'o1' })
  later.append({})
  east.prune(400, [10, 211])
  west.prune(10, [], later)
  return [east, west, later]
}

let ledger: PublishedLedger
let east: SampleLog
let west: SampleLog
let later: SampleLog

beforeEach(() => {
  ledger = new PublishedLedger()
  ;[east, west, later] = prunedLogs()
  for (const log of [east, west, later]) ledger.publish(log)
})

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text)
}

const report = async (input: Record<string, unknown>) =>
  await verify(portableCrypto, { file: pieces(await exportedText(ledger, input, { served })) })

const prunedOf = async (input: Record<string, unknown>): Promise<Record<string, number> | string> => {
  const verdict = await report(input)
  return verdict.ok
    ? Object.fromEntries(verdict.logs.map(({ log, pruned }) => [log, pruned]))
    : `${verdict.code} ${verdict.place} ${verdict.sentence}`
}

describe('an export of logs that were pruned', () => {
  test('tells each index that went, and why', async () => {
    expect(await prunedOf({})).toEqual({ east: 397, west: 10, 'west-2': 0 })
  })

  test('of a part proves the pruning entry that is not in it', async () => {
    expect(await prunedOf({ until: 'east:300' })).toEqual({ east: 298, west: 10, 'west-2': 0 })
  })

  test('of one log covers also the log whose entry pruned it, with nothing of its own', async () => {
    const text = await exportedText(ledger, { log: 'west' }, { served })
    expect(await verify(portableCrypto, { file: pieces(text) })).toMatchObject({
      ok: true,
      logs: [
        { log: 'west', pruned: 10 },
        { log: 'west-2', entries: 1, first: String(later.size), end: String(later.size) },
      ],
    })
  })

  test.each(['p1', 'p4', 'gone', 'nobody'])(
    'of the chain of %s counts the members that went',
    async (patient) => {
      const gone = (log: SampleLog) =>
        log.chainIndices('patient', patient).filter((index) => log.entry(index).pruned !== null).length
      expect(await prunedOf({ patient })).toEqual({ east: gone(east), west: gone(west), 'west-2': 0 })
    },
  )

  test('of an organisation follows redactions as far as they reach, and a gap stands for the rest', async () => {
    expect(await report({ organisation: 'o0' })).toMatchObject({ ok: true, kind: 'organisation-chain' })
  })

  test('does not hide that a body was stolen which no pruning entry reaches', async () => {
    ledger.database.exec('drop trigger ledger_body_kept; delete from ledger_body where idx = 401')
    expect(await prunedOf({})).toContain('index-missing east/401')
    expect(await prunedOf({ patient: 'p5' })).toMatch(/^chain-gap east/)
  })

  test('is found by the index made for it, in the statement of the page', async () => {
    await report({})
    const plans = ledger.plans().map((plan) => plan.join('\n'))
    const pages = plans.filter((plan) => plan.includes('pruning'))
    expect(pages.length).toBeGreaterThan(0)
    for (const plan of pages)
      expect(plan).toContain('SEARCH pruning USING INDEX ledger_body_prunes (prunes_log=?)')
  })
})

describe('the scrub', () => {
  test('finds nothing wrong with what was pruned, and what was stolen beside it', async () => {
    expect(await scrubBundle(ledger.reader, 'east', 0, east.size)).toEqual([])
    expect(await scrubBundle(ledger.reader, 'west', 0, west.size)).toEqual([])
    ledger.database.exec('drop trigger ledger_body_kept; delete from ledger_body where idx in (12, 401)')
    expect(await scrubBundle(ledger.reader, 'east', 1, east.size)).toEqual([
      { kind: 'body-missing', place: '401' },
    ])
    expect(await scrubBundle(ledger.reader, 'west', 0, west.size)).toEqual([
      { kind: 'body-missing', place: '12' },
    ])
  })
})
