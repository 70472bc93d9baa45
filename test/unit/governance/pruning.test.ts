/** A pruning from its request to the gap in the ledger, over a real log whose clock is simulated, and with its steps broken. */
import type { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { type AuditLogRpc, auditLogs } from '../../../src/audit/client.ts'
import { Drain } from '../../../src/audit/drain.ts'
import type { AppendRequest } from '../../../src/audit/port.ts'
import { redactions } from '../../../src/audit/redactions.ts'
import { Sequencer } from '../../../src/audit/sequencer.ts'
import { Exchange } from '../../../src/disclosure/exchange.ts'
import type { Operation } from '../../../src/disclosure/operation.ts'
import type { Ports } from '../../../src/disclosure/ports.ts'
import { settleIntents } from '../../../src/disclosure/settle.ts'
import { endHold, holdEntries, readHolds } from '../../../src/governance/holds.ts'
import { pruneDue } from '../../../src/governance/prune-due.ts'
import { pruneLog } from '../../../src/governance/pruning.ts'
import { limits } from '../../../src/limits.ts'
import { ok } from '../../../src/result.ts'
import { StoreError, type Writer } from '../../../src/store/ports.ts'
import { auditDatabase } from '../audit/audit-database.ts'
import { appendOf, ledgerOf, openLedger, SqliteLogStore } from '../audit/support.ts'
import { type MemoryDatabase, openDatabase } from '../store/memory-database.ts'

const yearMs = 366 * 86_400_000
const officer: Caller = {
  kind: 'privacy-officer',
  professional: 'bouchard',
  name: 'Bouchard',
  organisation: null,
}

let ledger: DatabaseSync
let records: MemoryDatabase
let database: Pick<Writer, 'read' | 'apply'>
let sequencer: Sequencer
let drain: Drain
let now: number
/** The audit database takes no deletion. */
let isAway: boolean

const rpc = {
  append: async (_: string, request: AppendRequest) => await sequencer.append(request),
  status: async (log: string) => ({ log, size: String(sequencer.size), successor: null, fault: null }),
  drained: async (_: string, size: string) => await drain.waitFor(Number(size), 1_000),
  openIntents: async () => sequencer.openIntents(),
} as unknown as AuditLogRpc

const removing = redactions(async (statements) => {
  if (isAway) throw new StoreError('unavailable', 'injected')
  return await database.apply(statements)
})

const ask = (more: Record<string, unknown> = {}, caller: Caller = officer) =>
  send(
    pruneLog,
    { log: 'qc-east' },
    { reason: 'Délai écoulé', basis: 'Calendrier de conservation', ...more },
    caller,
  )

async function send<P, Q>(asked: Operation<P, Q>, param: P, body: object, caller: Caller = officer) {
  const presented = { issuer: 'i', subject: 's', clientId: 'c', jti: 'j', role: null, scopes: [] }
  const ports = {
    config: { regions: [{ log: 'qc-east' }], publicUrl: null, clientAddressHeader: null },
    authenticator: { authenticate: async () => ok({ presented, placement: null, once: [] }) },
    logs: auditLogs(() => rpc),
    ledger: database,
    primary: records,
    redactions: removing,
    peerAddress: () => null,
  } as unknown as Ports
  const operation: Operation<P, Q> = {
    ...asked,
    handle: (ctx) =>
      asked.handle({
        ...ctx,
        now,
        load: async (page) => {
          const statements = page({} as never).records ?? []
          return ok({ caller, records: await records.read(statements) }) as never
        },
      }),
  }
  const exchange = new Exchange(ports, {
    read: () => Promise.reject(new Error('nothing is read here')),
    defer: () => {},
    request: new Request('https://record.example/audit/pruning/qc-east', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
    language: 'en',
    operation,
    rates: { admitAddress: () => 0, admitCaller: () => 0 },
    rate: 'general',
  })
  expect(await exchange.authenticate()).toBeNull()
  const response = await exchange.run(operation, param, {} as Q)
  return { status: response.status, json: (await response.json()) as Record<string, unknown> }
}

const settle = () =>
  settleIntents(
    'qc-east',
    auditLogs(() => rpc),
    { primary: records as unknown as Writer, redactions: removing, held: () => readHolds(records) },
  )

const append = async (...patients: readonly string[]) => {
  for (const patient of patients) await sequencer.append(appendOf([patient]))
  expect(await drain.waitFor(sequencer.size, 5_000)).toBe(true)
}
const publish = (size: number) =>
  ledger.exec(`insert into checkpoint (log, size, time, note) values ('qc-east', ${size}, 0, 'x')`)
const indices = () =>
  ledger
    .prepare('select idx from ledger_body order by idx')
    .all()
    .map(({ idx }) => idx)
const prunings = () =>
  ledger
    .prepare("select entry from ledger_body where action = 'redaction' order by idx")
    .all()
    .map(({ entry }) => JSON.parse(String(entry)).access)
    .filter(({ phase }) => phase === 'intent')

/** Entries 0 to 3 are eight years old, 4 and 5 of today. */
beforeEach(async () => {
  ledger = openLedger()
  records = openDatabase('records')
  database = auditDatabase(ledger)
  isAway = false
  now = Date.parse('2018-11-22T09:00:00.000Z')
  sequencer = new Sequencer({
    log: 'qc-east',
    store: new SqliteLogStore(),
    now: () => now,
    onCommit: () => void drain.run(),
  })
  drain = new Drain({ source: sequencer, ledger: ledgerOf(ledger), now: () => now })
  await append('p1', 'p2', 'p1', 'p3')
  now += 8 * yearMs
  await append('p1', 'p4')
})

describe('a pruning', () => {
  test('lets go what is older than the policy, by an entry that says up to where and why', async () => {
    publish(6)
    expect(await ask()).toMatchObject({ status: 200, json: { changed: true, log: 'qc-east', to: '4' } })
    expect(indices().slice(0, 3)).toEqual([4, 5, 6])
    expect(prunings()).toMatchObject([
      {
        patient: null,
        note: {
          'prunes-log': 'qc-east',
          'prunes-to': '4',
          reason: 'Délai écoulé',
          basis: 'Calendrier de conservation',
        },
      },
    ])
    expect(await drain.waitFor(sequencer.size, 5_000)).toBe(true)
    expect(ledger.prepare('select count(*) as n from ledger_leaf').get()?.n).toBe(sequencer.size)
  })

  test('asked for again finds nothing more, and makes no further entry', async () => {
    publish(6)
    await ask()
    expect(await ask()).toMatchObject({ status: 200, json: { changed: false } })
    expect(prunings()).toHaveLength(1)
  })

  test('spares what no checkpoint has made public', async () => {
    publish(2)
    expect(await ask()).toMatchObject({ json: { to: '2' } })
    expect(indices().slice(0, 3)).toEqual([2, 3, 4])
  })

  test('spares the entries about a person on hold', async () => {
    publish(6)
    records.db.exec(
      "insert into audit_hold (kind, key, reason, valid_from) values ('patient', 'p1', 'Procès', 0)",
    )
    await ask()
    expect(indices().slice(0, 4)).toEqual([0, 2, 4, 5])
  })

  test('lets go what was on hold once the hold has ended, at the next pruning', async () => {
    publish(6)
    const p1 = { kind: 'patient', key: 'p1' }
    const local = { ...officer, organisation: 'o' } as Caller
    expect(
      (await send(holdEntries, {}, { ...p1, reason: 'Procès en cours, dossier 500-17' }, local)).status,
    ).toBe(403)
    const held = { status: 200, json: { changed: true } }
    expect(await send(holdEntries, {}, { ...p1, reason: 'Procès en cours, dossier 500-17' })).toMatchObject(
      held,
    )
    expect(await send(holdEntries, {}, { ...p1, reason: 'Procès en cours, dossier 500-17' })).toMatchObject({
      json: { changed: false },
    })
    await ask()
    expect((await send(endHold, {}, p1, local)).status).toBe(403)
    expect(await send(endHold, {}, p1)).toMatchObject(held)
    now += 10 * yearMs
    await append('p5')
    publish(sequencer.size)
    expect(await ask()).toMatchObject(held)
    expect(indices()[0]).toBeGreaterThan(5)
    const changes = ledger.prepare(
      "select entry ->> '$.access.note.change' as c from ledger_body where action = 'policy'",
    )
    // Of today's age they too would have gone; those of redactions stay.
    expect(changes.all()).toEqual([])
    expect(prunings()).toHaveLength(2)
  })

  test('spares the entries of an organisation on hold', async () => {
    publish(6)
    const [row] = ledger.prepare('select organisation from ledger_body where idx = 0').all()
    records.db
      .prepare("insert into audit_hold (kind, key, reason, valid_from) values ('organisation', ?, 'x', 0)")
      .run(String(row?.organisation))
    await ask()
    expect(indices().slice(0, 4)).toEqual([0, 1, 2, 3])
  })

  test.each([
    ['later than the policy lets go', { before: '2026-01-01T00:00:00Z' }, officer, 400],
    ['by the officer of one organisation', {}, { ...officer, organisation: 'o' } as Caller, 403],
    ['without a legal basis', { basis: '' }, officer, 400],
    ['with a parameter that nobody knows', { all: true }, officer, 400],
  ])('is refused %s', async (_, body, caller, status) => {
    publish(6)
    expect((await ask(body, caller)).status).toBe(status)
    expect(indices().slice(0, 4)).toEqual([0, 1, 2, 3])
    expect(prunings()).toEqual([])
  })

  test('follows the policy, which never keeps less than the floor', async () => {
    publish(6)
    records.db.exec("update policy_setting set value = 3650 where name = 'audit-retention-days'")
    expect(await ask()).toMatchObject({ json: { changed: false } })
    records.db.exec("update policy_setting set value = 1 where name = 'audit-retention-days'")
    const yesterday = new Date(now - 2 * 86_400_000).toISOString()
    expect((await ask({ before: yesterday })).status).toBe(400)
    expect(await ask()).toMatchObject({ json: { to: '4' } })
  })

  test('is ordered by the schedule when it is due, once, and carried out as any intent', async () => {
    publish(6)
    ledger.exec("insert into log (log, origin, vkey, mldsa44_vkey) values ('qc-east', 'o', 'k', 'm')")
    const due = () => pruneDue('qc-east', now, { records, ledger: database, logs: auditLogs(() => rpc) })
    expect(await due()).toBe(1)
    expect(indices().slice(0, 4)).toEqual([0, 1, 2, 3])
    expect(await drain.waitFor(sequencer.size, 5_000)).toBe(true)
    expect(await due()).toBe(0)
    now += limits.settleAfterMs
    expect(await settle()).toBe(1)
    expect(indices().slice(0, 2)).toEqual([4, 5])
    expect(prunings()).toMatchObject([
      { who: { practitioner: null }, decision: { outcome: 'permit', reason: 'retention-policy' } },
    ])
  })

  test('broken off before a body went is finished by the schedule, and once', async () => {
    publish(6)
    isAway = true
    expect((await ask()).status).toBe(503)
    expect(indices().slice(0, 4)).toEqual([0, 1, 2, 3])
    now += limits.settleAfterMs
    expect(await settle()).toBe(0)
    isAway = false
    expect(await settle()).toBe(1)
    expect(indices().slice(0, 2)).toEqual([4, 5])
    expect(sequencer.countOpenIntents()).toBe(0)
    expect(await settle()).toBe(0)
  })
})
