/** Intents whose outcome never came: what the log is told, and that nothing can make it untrue after. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Access, AppendRequest, AuditLogs, OpenIntent } from '../../../src/audit/port.ts'
import { settleIntents } from '../../../src/disclosure/settle.ts'
import { err, ok } from '../../../src/result.ts'
import { StoreError } from '../../../src/store/ports.ts'
import { base } from '../audit/access.ts'
import { type MemoryDatabase, openDatabase } from '../store/memory-database.ts'

const intent: OpenIntent = {
  requestId: 'r',
  organisation: 'ciusss',
  access: JSON.stringify({
    ...base,
    action: 'publish',
    phase: 'intent',
    decision: { outcome: 'permit', reason: 'intent', detail: null },
    ...{ patient: null, resources: [], part: 1, parts: 1 },
  }),
}

let records: MemoryDatabase
let appended: AppendRequest[]
let isLogAway: boolean
beforeEach(() => {
  records = openDatabase('records')
  appended = []
  isLogAway = false
})

const logs = {
  current: async (log: string) => ok(log),
  openIntents: async () => ok([intent]),
  append: async (_log: string, request: AppendRequest) => {
    if (isLogAway) return err({ reason: 'log-unavailable', detail: 'away' })
    appended.push(request)
    return ok({})
  },
} as unknown as AuditLogs

const redactions = {
  remove: () => Promise.reject(new Error('nothing is redacted here')),
  prune: () => Promise.reject(new Error('nothing is pruned here')),
}
const held = async () => ({ patients: [], organisations: [] })
const settle = () => settleIntents('montreal', logs, { primary: records, redactions, held })
const told = () =>
  appended.map(({ entries }) =>
    entries.map(({ access }) => {
      const { phase, decision, patient } = JSON.parse(access) as Access
      return [phase, decision.reason, patient]
    }),
  )
const write = () =>
  records.write('r', [{ sql: `update write_key set persons = '["p","q"]' where key = 'r'` }])

describe('an intent without an outcome', () => {
  test('whose write never came is told as not committed, and the write that comes after is refused', async () => {
    expect(await settle()).toBe(1)
    expect(told()).toEqual([[['outcome', 'settled-not-committed', null]]])
    await expect(write()).rejects.toMatchObject({ code: 'aborted' })
    expect(records.rows('select n from clock')).toMatchObject([{ n: 0 }])
  })

  test('whose write had committed is told as such, about each person, however often it is settled', async () => {
    await write()
    const outcome = [
      ['outcome', 'settled-committed', 'p'],
      ['outcome', 'settled-committed', 'q'],
    ]
    await settle()
    await settle()
    expect(told()).toEqual([outcome, outcome])
    expect(await write()).toMatchObject({ replayed: true })
  })

  test('stays undecided while the primary does not answer', async () => {
    const away = async () => Promise.reject(new StoreError('unavailable', 'away'))
    await expect(
      settleIntents('montreal', logs, { primary: { ...records, abort: away }, redactions, held }),
    ).rejects.toThrow('away')
    expect(appended).toEqual([])
    expect(await write()).toMatchObject({ replayed: false })
  })

  test('is told the same at the next round when the log did not take it', async () => {
    isLogAway = true
    expect(await settle()).toBe(0)
    await expect(write()).rejects.toMatchObject({ code: 'aborted' })
    isLogAway = false
    expect(await settle()).toBe(1)
    expect(told()).toEqual([[['outcome', 'settled-not-committed', null]]])
  })
})
