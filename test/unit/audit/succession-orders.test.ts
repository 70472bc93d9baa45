/** Successions that an operator orders of the wrong log, too often, or of logs whose names end in numbers. */
import { describe, expect, test } from 'vitest'
import type { AuditLog } from '../../../src/audit/audit-log.ts'
import { type AuditLogRpc, amongLogs, auditLogs } from '../../../src/audit/client.ts'
import { checkpointsStatement, publishedCheckpoint } from '../../../src/audit/public-store.ts'
import { succeedLog } from '../../../src/audit/succession.ts'
import { limits } from '../../../src/limits.ts'
import { successorOf } from '../../../src/log-line.ts'
import { base } from './access.ts'
import { databaseOf, newWorld, signerOf, type World } from './log-world.ts'
import { appendOf, ledgerEntries, SqliteLogStore } from './support.ts'

/** Logs as the Worker reaches them: each begun by whoever names it. */
function logsServed(...served: string[]) {
  const { ledger } = newWorld()
  const worlds = new Map<string, World>()
  const open = new Map<string, AuditLog>()
  const worldOf = (log: string): World => {
    const world = worlds.get(log) ?? newWorld(log, ledger)
    worlds.set(log, world)
    return world
  }
  const of = (log: string): AuditLog => {
    const known = open.get(log) ?? worldOf(log).open({ mustBeFounded: !served.includes(log) })
    open.set(log, known)
    return known
  }
  const stub = {
    append: (log, request) => of(log).append(request),
    status: async (log) => of(log).status(),
    published: (log, size) => of(log).published(Number(size), 5_000),
    openIntents: async (log) => of(log).openIntents(),
    close: (log, successor) => of(log).close(successor),
    found: (log, founding) => of(log).found(founding),
    stranded: (log, from) => of(log).stranded(from),
    retire: (log) => of(log).retire(),
  } as Partial<AuditLogRpc> as AuditLogRpc
  const logs = auditLogs(
    amongLogs(
      served.map((log) => ({ log })),
      () => stub,
    ),
  )
  return {
    logs,
    of,
    open,
    worldOf,
    restart: (log: string) => open.delete(log),
    ledger,
    registered: () =>
      ledger
        .prepare('select log from log order by log')
        .all()
        .map((row) => row.log),
    succeed: (line: string, log: string) =>
      succeedLog(logs.succession, {
        log,
        successor: successorOf(line, log),
        base: { ...base, action: 'succession', operation: 'succeed', note: { reason: 'r' } },
        newestCheckpoints: async () => {
          const [rows = []] = await databaseOf(ledger).read([checkpointsStatement(log, 8)])
          return rows.map(publishedCheckpoint)
        },
      }),
  }
}

describe('a succession', () => {
  test.each([
    ['montreal', 'montreal', 'montreal-2'],
    ['montreal', 'montreal-2', 'montreal-3'],
    ['montreal', 'montreal-9', 'montreal-10'],
    ['region-1', 'region-1', 'region-1-2'],
    ['region-1', 'region-1-2', 'region-1-3'],
  ])('in the line of %s, %s is followed by %s', (line, log, successor) => {
    expect(successorOf(line, log)).toBe(successor)
  })

  test('of a log whose own name ends in a number leaves the log of the next number alone', async () => {
    const { logs, of, succeed } = logsServed('region-1', 'region-2')
    for (const log of ['region-1', 'region-2']) await logs.append(log, appendOf(['p1']))
    expect(await succeed('region-1', 'region-1')).toMatchObject({
      ok: true,
      value: { successor: 'region-1-2' },
    })
    expect((await logs.append('region-1', appendOf(['p1']))).ok).toBe(true)
    expect(of('region-1-2').status().size).toBe('2')
    expect(of('region-2').status().size).toBe('1')
  })

  test('of a successor that has not begun is refused, and leaves nothing in the way of the one before it', async () => {
    const { logs, registered, succeed } = logsServed('montreal')
    await logs.append('montreal', appendOf(['p1']))
    expect(await logs.published('montreal', '1', 0)).toBe(true)
    expect(await succeed('montreal', 'montreal-2')).toEqual({ ok: false, error: { reason: 'not-begun' } })
    expect(registered()).toEqual(['montreal'])
    expect((await succeed('montreal', 'montreal')).ok).toBe(true)
    expect((await logs.append('montreal', appendOf(['p1']))).ok).toBe(true)
  })

  test('of a successor whose storage was lost goes on from what the audit database holds', async () => {
    const { logs, of, worldOf, restart, succeed } = logsServed('montreal')
    await logs.append('montreal', appendOf(['p1']))
    await succeed('montreal', 'montreal')
    expect(await logs.published('montreal-2', '1', 0)).toBe(true)
    worldOf('montreal-2').store = new SqliteLogStore()
    restart('montreal-2')
    // Not sound, though nobody has compared it with anything yet: it takes nothing.
    expect(of('montreal-2').status().fault).toBe('montreal-2 has not been begun')
    expect((await logs.append('montreal', appendOf(['p1']))).ok).toBe(false)
    expect(await succeed('montreal', 'montreal-2')).toMatchObject({
      ok: true,
      value: { successor: 'montreal-3' },
    })
    expect((await logs.append('montreal', appendOf(['p1']))).ok).toBe(true)
  })

  test('names the newest checkpoint that the log signed, whatever stands in its place', async () => {
    const { logs, ledger, of, restart, succeed } = logsServed('montreal')
    await logs.append('montreal', appendOf(['p1']))
    expect(await logs.published('montreal', '1', 0)).toBe(true)
    const [, , root] = String(ledger.prepare('select note from checkpoint').get()?.note).split('\n')
    const forge = ledger.prepare(
      "insert into checkpoint (log, size, time, note) values ('montreal', ?, 0, ?)",
    )
    const { note } = ledger.prepare('select note from checkpoint').get() as { note: string }
    forge.run(7, note.replace('\n1\n', '\n7\n'))
    forge.run(8, 'nothing like a checkpoint')
    restart('montreal')
    await of('montreal').advance()
    expect(of('montreal').status().standing).toBe('halted')
    expect((await succeed('montreal', 'montreal')).ok).toBe(true)
    expect(await logs.published('montreal-2', '1', 0)).toBe(true)
    const [first] = ledgerEntries(ledger, 'montreal-2')
    expect(JSON.parse(first?.entry ?? '').access.note).toMatchObject({
      'checkpoint-size': '1',
      'checkpoint-root': root,
    })
  })

  test('of a log whose secret is gone names the key that signed its last checkpoint', async () => {
    const { logs, ledger, open, worldOf, succeed } = logsServed('montreal')
    await logs.append('montreal', appendOf(['p1']))
    expect(await logs.published('montreal', '1', 0)).toBe(true)
    open.set('montreal', worldOf('montreal').open({ signers: [signerOf('montreal', 8)] }))
    await open.get('montreal')?.advance()
    expect((await succeed('montreal', 'montreal')).ok).toBe(true)
    expect(await logs.published('montreal-2', '1', 0)).toBe(true)
    const [first] = ledgerEntries(ledger, 'montreal-2')
    expect(JSON.parse(first?.entry ?? '').access.note).toMatchObject({
      'checkpoint-size': '1',
      'predecessor-key': signerOf('montreal').identity.vkey,
    })
  })

  test('ordered again settles no intent a second time', async () => {
    const { logs, of, worldOf, succeed } = logsServed('montreal')
    const intent = appendOf([null], 'organisation-1', { phase: 'intent' })
    await logs.append('montreal', intent)
    await succeed('montreal', 'montreal')
    const { requestId } = intent
    await logs.append('montreal', appendOf([null], 'organisation-1', { requestId, phase: 'outcome' }))
    expect((await succeed('montreal', 'montreal')).ok).toBe(true)
    worldOf('montreal-2').now += limits.settleAfterMs
    expect(of('montreal-2').openIntents()).toEqual([])
  })
})
