import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type AuditLogRpc, amongLogs, auditLogs } from '../../../src/audit/client.ts'
import { isReceipt, Receipt } from '../../../src/audit/receipt.ts'
import { limits } from '../../../src/limits.ts'
import { appendOf, inMemoryLogs, statusOf } from './support.ts'

const reply = { log: 'qc-test', first: '7', count: 1, hash: 'aGFzaA', time: '2026-11-22T09:06:00.123Z' }

const answering: AuditLogRpc = {
  ...inMemoryLogs(),
  append: async () => ({ ok: true, value: reply }),
  appendFailure: async () => ({ ok: false, error: { reason: 'counted' } }),
  status: async () => statusOf('qc-test', { size: '8', drained: '7' }),
}

describe('a receipt', () => {
  test('says which log, which entries and the hash of their leaves', async () => {
    const one = await auditLogs(() => answering).append('qc-test', appendOf([null]))
    expect(one.ok && one.value.header).toBe('qc-test/7:aGFzaA')
    const three = { ...answering, append: async () => ({ ok: true, value: { ...reply, count: 3 } }) as const }
    const several = await auditLogs(() => three).append('qc-test', appendOf([null]))
    expect(several.ok && several.value.header).toBe('qc-test/7+2:aGFzaA')
  })

  test('cannot be imitated', () => {
    expect(isReceipt({ header: 'qc-test/7:aGFzaA', time: reply.time })).toBe(false)
    expect(isReceipt(Object.create(Receipt.prototype))).toBe(false)
    expect(isReceipt(null)).toBe(false)
    expect(isReceipt('qc-test/7:aGFzaA')).toBe(false)
  })

  test('is minted in one place', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.tsx?$/.test(name),
    )
    const minting = files.filter((name) => readFileSync(join('src', name), 'utf8').includes('Receipt.mint'))
    expect(minting).toEqual([join('audit', 'client.ts')])
  })
})

describe('a call to a log', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('that hangs is log-unavailable after the deadline, and leaves no timer', async () => {
    const hanging = { ...answering, append: () => new Promise<never>(() => {}) }
    const appended = auditLogs(() => hanging).append('qc-test', appendOf([null]))
    await vi.advanceTimersByTimeAsync(limits.appendDeadlineMs)
    expect(await appended).toMatchObject({ ok: false, error: { reason: 'log-unavailable' } })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that answers leaves no timer', async () => {
    await auditLogs(() => answering).append('qc-test', appendOf([null]))
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that throws, cannot be reached, or is to no log, is log-unavailable', async () => {
    const killed = { ...answering, append: () => Promise.reject(new Error('killed')) }
    const unreachable = auditLogs(() => {
      throw new Error('no such region')
    })
    expect(await auditLogs(() => killed).append('qc-test', appendOf([null]))).toEqual({
      ok: false,
      error: { reason: 'log-unavailable', detail: 'killed' },
    })
    expect(await unreachable.append('qc-test', appendOf([null]))).toMatchObject({ ok: false })
    expect(await unreachable.drained('qc-test', '1')).toBe(false)
    expect(await auditLogs(() => answering).append('../other', appendOf([null]))).toMatchObject({ ok: false })
  })

  test('whose name is not a served log is log-unavailable, and begins no log', async () => {
    const begun: string[] = []
    const served = amongLogs([{ log: 'qc-test' }, { log: 'qc-west' }], (name) => {
      begun.push(name)
      return answering
    })
    const logs = auditLogs(served)
    expect((await logs.append('qc-west', appendOf([null]))).ok).toBe(true)
    const refused = {
      ok: false,
      error: { reason: 'log-unavailable', detail: 'qc-tset is not a log served here' },
    }
    expect(await logs.append('qc-tset', appendOf([null]))).toEqual(refused)
    expect(await logs.appendFailure('qc-tset', '192.0.2.1', 'expired', appendOf([null]))).toEqual(refused)
    expect(await logs.status('qc-tset')).toEqual(refused)
    expect(await logs.openIntents('qc-tset')).toEqual(refused)
    expect(await logs.drained('qc-tset', '0')).toBe(false)
    expect(begun).toEqual(['qc-west'])
  })

  test('that was succeeded more than once is one call from the second append on', async () => {
    const asked: string[] = []
    const logs = auditLogs((name) => ({
      ...answering,
      append: async () => {
        asked.push(name)
        const successor = { 'qc-test': 'qc-test-2', 'qc-test-2': 'qc-test-3' }[name]
        return successor === undefined
          ? { ok: true, value: { ...reply, log: name } }
          : { ok: false, error: { reason: 'retired', successor } }
      },
    }))
    for (let i = 0; i < 2; i++) expect((await logs.append('qc-test', appendOf([null]))).ok).toBe(true)
    expect(asked).toEqual(['qc-test', 'qc-test-2', 'qc-test-3', 'qc-test-3'])
  })

  test('that is retired is followed to its successor, but for what belongs to that very log', async () => {
    const asked: string[] = []
    const logs = auditLogs((name) => {
      asked.push(name)
      if (name === 'qc-test-2') return answering
      const retired = { ok: false, error: { reason: 'retired', successor: 'qc-test-2' } } as const
      return { ...answering, append: async () => retired }
    })
    expect((await logs.append('qc-test', appendOf([null]))).ok).toBe(true)
    expect(asked).toEqual(['qc-test', 'qc-test-2'])
    expect(await logs.appendTo('qc-test', appendOf([null]))).toMatchObject({
      ok: false,
      error: { reason: 'log-unavailable' },
    })
    expect(asked).toEqual(['qc-test', 'qc-test-2', 'qc-test'])
    expect((await logs.appendTo('qc-test-2', appendOf([null]))).ok).toBe(true)
  })

  test('passes the log’s own refusals on', async () => {
    const refused = await auditLogs(() => answering).appendFailure(
      'qc-test',
      '192.0.2.1',
      'expired',
      appendOf([null]),
    )
    expect(refused).toEqual({ ok: false, error: { reason: 'counted' } })
  })
})
