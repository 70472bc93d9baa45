/** A redaction from its request to the gap in the ledger, over a real log, with each of its steps broken. */
import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { type AuditLogRpc, auditLogs } from '../../../src/audit/client.ts'
import { Drain } from '../../../src/audit/drain.ts'
import type { AppendRequest, Phase } from '../../../src/audit/port.ts'
import { redactions } from '../../../src/audit/redactions.ts'
import { Sequencer } from '../../../src/audit/sequencer.ts'
import { Exchange } from '../../../src/disclosure/exchange.ts'
import type { Ports } from '../../../src/disclosure/ports.ts'
import { settleIntents } from '../../../src/disclosure/settle.ts'
import { redact } from '../../../src/governance/redaction.ts'
import { limits } from '../../../src/limits.ts'
import { ok } from '../../../src/result.ts'
import { type Reader, StoreError, type Writer } from '../../../src/store/ports.ts'
import { auditDatabase } from '../audit/audit-database.ts'
import { appendOf, ledgerOf, openLedger, SqliteLogStore } from '../audit/support.ts'

const reason = 'Entrée au nom d’une autre personne, par erreur d’identité'
const basis = 'Loi sur les renseignements de santé, art. 24'

/** A step that fails before it is done, or after, with its answer lost. */
type Fault = 'before' | 'after'

interface Faults {
  /** Of appends of this phase to the log of the entry. */
  append?: { readonly phase: Phase; readonly when: Fault }
  remove?: Fault
  /** Number of this request's wait for the ledger, from 1. */
  drained?: number
}

const officer: Extract<Caller, { kind: 'privacy-officer' }> = {
  kind: 'privacy-officer',
  professional: 'bouchard',
  name: 'Bouchard',
  organisation: null,
}

let ledger: DatabaseSync
let database: Pick<Writer, 'read' | 'apply'>
let sequencers: ReadonlyMap<string, { readonly sequencer: Sequencer; readonly drain: Drain }>
let now: number
let faults: Faults

function openLog(name: string) {
  const sequencer: Sequencer = new Sequencer({
    log: name,
    store: new SqliteLogStore(),
    now: () => now,
    onCommit: () => void drain.run(),
  })
  const drain = new Drain({ source: sequencer, ledger: ledgerOf(ledger), now: () => now })
  return { sequencer, drain }
}

const logNamed = (name: string) => {
  const log = sequencers.get(name)
  if (!log) throw new Error(`no log ${name}`)
  return log
}

/** Goes wrong once. */
function take<K extends keyof Faults>(kind: K): Faults[K] | undefined {
  const fault = faults[kind]
  delete faults[kind]
  return fault
}

const lost = () => new StoreError('unavailable', 'injected')

const rpc = {
  append: async (name: string, request: AppendRequest) => {
    const fault = name === 'qc-east' && faults.append?.phase === request.phase ? take('append') : undefined
    if (fault?.when === 'before') throw new Error('injected')
    const answer = await logNamed(name).sequencer.append(request)
    if (fault) throw new Error('injected')
    return answer
  },
  status: async (name: string) => ({
    log: name,
    size: String(logNamed(name).sequencer.size),
    successor: null,
    fault: null,
  }),
  drained: async (name: string, size: string) => {
    if (faults.drained !== undefined && --faults.drained === 0) return take('drained') !== 0
    return await logNamed(name).drain.waitFor(Number(size), 1_000)
  },
  openIntents: async (name: string) => logNamed(name).sequencer.openIntents(),
} as unknown as AuditLogRpc

const removing = redactions(async (statements) => {
  const fault = take('remove')
  if (fault === 'before') throw lost()
  const rows = await database.apply(statements)
  if (fault) throw lost()
  return rows
})

interface Request {
  readonly log?: string
  readonly index?: string
  readonly body?: unknown
  readonly caller?: Caller
  readonly reader?: Reader
  /** A key of the caller's proof. */
  readonly proof?: string
}

async function ask({ log = 'qc-east', index = '1', caller = officer, reader, proof, ...more }: Request = {}) {
  const body = JSON.stringify(more.body ?? { reason, basis })
  const once = proof === undefined ? [] : [{ key: proof, untilMs: now + 60_000 }]
  const presented = { issuer: 'i', subject: 's', clientId: 'c', jti: 'j', role: null, scopes: [] }
  const ports = {
    config: {
      regions: [{ log: 'qc-serving' }, { log: 'qc-east' }],
      publicUrl: null,
      clientAddressHeader: null,
    },
    authenticator: { authenticate: async () => ok({ presented, placement: null, once }) },
    logs: auditLogs(() => rpc),
    ledger: reader ?? database,
    redactions: removing,
    peerAddress: () => null,
  } as unknown as Ports
  // Who may call it is decided before, by the rules of every operation.
  const operation: typeof redact = {
    ...redact,
    handle: (ctx) => redact.handle({ ...ctx, load: async () => ok({ caller }) as never }),
  }
  const exchange = new Exchange(ports, {
    read: () => Promise.reject(new Error('nothing is read here')),
    defer: () => {},
    request: new Request(`https://record.example/audit/redaction/${log}/${index}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    }),
    language: 'en',
    operation,
    rates: { admitAddress: () => 0, admitCaller: () => 0 },
    rate: 'general',
    help: () => null,
  })
  expect(await exchange.authenticate()).toBeNull()
  const response = await exchange.run(operation, redact.param.parse({ log, index }), {})
  const json = (await response.json()) as Record<string, unknown> & {
    errors?: { code: string }[]
  }
  return { status: response.status, json, code: json.errors?.[0]?.code }
}

const nobody = async () => ({ patients: [], organisations: [] })

const drain = async (name = 'qc-east') => {
  const log = logNamed(name)
  expect(await log.drain.waitFor(log.sequencer.size, 5_000)).toBe(true)
}

const bodies = () =>
  ledger
    .prepare("select idx, entry from ledger_body where log = 'qc-east' order by idx")
    .all()
    .map(({ idx, entry }) => ({ idx, access: JSON.parse(String(entry)).access }))

const redactionEntries = () =>
  bodies().filter(({ access }) => access.action === 'redaction' && access.phase === 'intent')

/** What the log says came of it, refused and repeated requests included. */
const told = () =>
  bodies()
    .filter(({ idx }) => Number(idx) > 2)
    .map(({ access }) => `${access.phase} ${access.decision.outcome} ${access.decision.reason}`)

const isThere = (index: number) => bodies().some(({ idx }) => idx === index)

const publish = (size: number) =>
  ledger.exec(`insert into checkpoint (log, size, time, note) values ('qc-east', ${size}, 0, 'x')`)

beforeEach(async () => {
  ledger = openLedger()
  database = auditDatabase(ledger)
  now = Date.parse('2026-11-22T09:00:00.000Z')
  faults = {}
  sequencers = new Map(['qc-serving', 'qc-east'].map((name) => [name, openLog(name)]))
  for (const patient of ['p1', 'p1', 'p2']) await logNamed('qc-east').sequencer.append(appendOf([patient]))
  await drain()
  publish(3)
})

describe('a redaction', () => {
  test('removes the one body, by an entry of the same log that repeats its places and names no patient', async () => {
    const answer = await ask()
    expect([answer.status, answer.json]).toEqual([
      200,
      { changed: true, log: 'qc-east', index: '1', redaction: '3' },
    ])
    await drain()
    expect(bodies().map(({ idx }) => idx)).toEqual([0, 2, 3, 4])
    expect(redactionEntries()[0]?.access).toMatchObject({
      patient: null,
      decision: { outcome: 'permit' },
      who: { practitioner: null },
      note: {
        redacts: '1',
        'redacts-log': 'qc-east',
        'redacts-organisation': '2@0',
        'redacts-patient': '2@0',
        reason,
        basis,
      },
    })
    expect(told()).toEqual(['intent permit intent', 'outcome permit privacy-officer'])
    expect(logNamed('qc-serving').sequencer.size).toBe(0)
    expect(logNamed('qc-east').sequencer.countOpenIntents()).toBe(0)
  })

  test('asked for again is done already: audited, and no second redaction entry', async () => {
    await ask()
    const again = await ask({ body: { reason: 'Une tout autre raison', basis } })
    expect([again.status, again.json.changed, again.json.redaction]).toEqual([200, false, '3'])
    await drain()
    expect(redactionEntries()).toHaveLength(1)
    expect(told().at(-1)).toBe('access permit privacy-officer')
  })

  test.each<[string, number, string | undefined, Request]>([
    ['an index that is not there', 404, 'not-found', { index: '99' }],
    ['a log that is not served here', 404, 'not-found', { log: 'qc-west' }],
    ['a log that nobody ever began', 404, 'not-found', { log: 'qc-east-2' }],
    ['an entry without a reason', 400, 'required', { body: { basis } }],
    ['an entry without a legal basis', 400, 'required', { body: { reason } }],
    ['a reason of one word', 400, 'value', { body: { reason: 'erreur', basis } }],
    ['a reason that an entry cannot hold whole', 400, 'value', { body: { reason: '漢'.repeat(200), basis } }],
    [
      'an officer of one organisation',
      403,
      'not-own-organisation',
      { caller: { ...officer, organisation: 'organisation-1' } },
    ],
    [
      'whoever did what the entry tells',
      403,
      'four-eyes',
      { caller: { ...officer, professional: 'professional-1' } },
    ],
  ])('is refused for %s, and nothing goes', async (_, status, code, request) => {
    const answer = await ask(request)
    expect([answer.status, answer.code]).toEqual([status, code])
    await drain()
    expect(bodies()).toHaveLength(3)
    // Refusals stand where those of the caller always do.
    expect(logNamed('qc-serving').sequencer.size).toBe(1)
  })

  test('is refused for an access that the registry refused to the same login', async () => {
    const refused = appendOf([null], null)
    const [draft] = refused.entries
    const access = JSON.parse(draft?.access ?? '') as Record<string, object>
    access.who = { ...access.who, issuer: 'i', subject: 's', practitioner: null, organisation: null }
    await logNamed('qc-east').sequencer.append({
      ...refused,
      entries: [{ access: JSON.stringify(access), patient: null, organisation: null }],
    })
    await drain()
    publish(4)
    expect(await ask({ index: '3' })).toMatchObject({ status: 403, code: 'four-eyes' })
    expect(isThere(3)).toBe(true)
  })

  test('waits until a checkpoint has made the entry public', async () => {
    await logNamed('qc-east').sequencer.append(appendOf(['p3']))
    expect(await ask({ index: '3' })).toMatchObject({ status: 409, code: 'not-published' })
    publish(4)
    expect(await ask({ index: '3' })).toMatchObject({ status: 200 })
  })

  test('is not taken by a retired log, and least of all by its successor', async () => {
    ledger.exec("insert into log_retired (log, successor) values ('qc-east', 'qc-east-2')")
    expect(await ask()).toMatchObject({ status: 409, code: 'log-retired' })
    expect(isThere(1)).toBe(true)
  })

  test('is itself never redacted', async () => {
    await ask()
    await drain()
    publish(6)
    for (const index of ['3', '4'])
      expect(await ask({ index })).toMatchObject({ status: 409, code: 'not-redactable' })
  })

  test('does not destroy what does not open its leaf', async () => {
    ledger.exec('drop trigger ledger_body_frozen')
    ledger.exec("update ledger_body set entry = replace(entry, 'shared', 'denied') where idx = 1")
    expect(await ask()).toMatchObject({ status: 409, code: 'not-authentic' })
    expect(isThere(1)).toBe(true)
  })

  test('begun by another request meanwhile is refused once, and the proof of that request counts as used', async () => {
    let reads = 0
    const reader: Reader = {
      read: async (statements) => {
        const rows = await database.read(statements)
        // Between its last look and its intent.
        if (++reads === 2) expect((await ask()).status).toBe(200)
        return rows
      },
    }
    expect(await ask({ reader, proof: 'dpop:1' })).toMatchObject({ status: 409, code: 'intended-before' })
    await drain()
    expect(redactionEntries()).toHaveLength(1)
    const replay = { ...appendOf(['p1']), once: [{ key: 'dpop:1', untilMs: now + 60_000 }] }
    expect(await logNamed('qc-serving').sequencer.append(replay)).toMatchObject({
      error: { reason: 'replayed' },
    })
  })

  test('is the only one of its index for as long as the log lives', async () => {
    await ask()
    now += 365 * 24 * 60 * 60_000
    const once = [{ key: 'redact/qc-east/1', untilMs: limits.foreverMs }]
    // Used keys past their time are forgotten with each commit that brings new ones.
    for (let i = 0; i < 20; i++)
      await logNamed('qc-east').sequencer.append({
        ...appendOf([null]),
        once: [{ key: randomUUID(), untilMs: now }],
      })
    expect(await logNamed('qc-east').sequencer.append({ ...appendOf([null]), once })).toMatchObject({
      error: { reason: 'replayed' },
    })
  })
})

const broken: readonly (readonly [string, () => Faults, { readonly isDecided: boolean }])[] = [
  ['the first look at the log', () => ({ drained: 1 }), { isDecided: false }],
  [
    'the redaction entry, not stored',
    () => ({ append: { phase: 'intent', when: 'before' } }),
    { isDecided: false },
  ],
  [
    'the redaction entry, stored',
    () => ({ append: { phase: 'intent', when: 'after' } }),
    { isDecided: true },
  ],
  ['waiting until it is drained', () => ({ drained: 2 }), { isDecided: true }],
  ['the deletion, not done', () => ({ remove: 'before' }), { isDecided: true }],
  ['the deletion, done', () => ({ remove: 'after' }), { isDecided: true }],
  ['the outcome, not stored', () => ({ append: { phase: 'outcome', when: 'before' } }), { isDecided: true }],
  ['the outcome, stored', () => ({ append: { phase: 'outcome', when: 'after' } }), { isDecided: true }],
]

describe.each(broken)('a redaction that loses %s', (_, fault, { isDecided }) => {
  beforeEach(async () => {
    faults = fault()
    expect((await ask()).status).toBe(503)
    expect(faults).toEqual({})
    await drain()
  })

  test('is finished by asking again, with one redaction entry', async () => {
    const again = await ask()
    expect([again.status, again.json.changed]).toEqual([200, !isDecided])
    await drain()
    expect(isThere(1)).toBe(false)
    expect(redactionEntries()).toHaveLength(1)
  })

  test('is finished by the schedule once it is decided, and otherwise never was', async () => {
    now += limits.settleAfterMs
    await settleIntents(
      'qc-east',
      auditLogs(() => rpc),
      {
        primary: {} as unknown as Writer,
        redactions: removing,
        held: nobody,
      },
    )
    await drain()
    expect(isThere(1)).toBe(!isDecided)
    expect(redactionEntries()).toHaveLength(isDecided ? 1 : 0)
    expect(logNamed('qc-east').sequencer.countOpenIntents()).toBe(0)
    if (isDecided) expect(told().filter((line) => /^outcome permit/.test(line))).toHaveLength(1)
  })
})

describe('the schedule', () => {
  const settle = (remove: () => Promise<number | null>) =>
    settleIntents(
      'qc-east',
      auditLogs(() => rpc),
      {
        primary: {} as unknown as Writer,
        redactions: { ...removing, remove },
        held: nobody,
      },
    )

  beforeEach(async () => {
    faults = { remove: 'before' }
    await ask()
    now += limits.settleAfterMs
  })

  test('leaves a redaction open while the audit database is away or has not drained its entry', async () => {
    expect(await settle(() => Promise.reject(lost()))).toBe(0)
    expect(await settle(async () => null)).toBe(0)
    expect(logNamed('qc-east').sequencer.countOpenIntents()).toBe(1)
  })

  test('carries nothing out that only the successor of the log has', async () => {
    const asked: string[] = []
    const logs = { ...auditLogs(() => rpc), current: async () => ok('qc-east-2') }
    const settled = await settleIntents('qc-east', logs, {
      primary: {} as unknown as Writer,
      held: nobody,
      redactions: {
        ...removing,
        remove: async (name) => {
          asked.push(name)
          return null
        },
      },
    })
    expect([settled, asked]).toEqual([1, ['qc-east']])
    await drain()
    expect([told().at(-1), isThere(1)]).toEqual(['outcome error settled-not-committed', true])
  })

  test('tells that a redaction which the ledger refuses was not carried out', async () => {
    expect(await settle(() => Promise.reject(new StoreError('constraint', 'other places')))).toBe(1)
    await drain()
    expect(told().at(-1)).toBe('outcome error settled-not-committed')
  })
})
