/** A pruning from its request to the gap in the ledger, over a real log whose clock is simulated, and with its steps broken. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { endHold, holdEntries } from '../../../src/governance/holds.ts'
import { limits } from '../../../src/limits.ts'
import { appendOf } from '../audit/support.ts'
import { officer, PruningWorld, yearMs } from './pruning-world.ts'

const log = 'qc-east'
let world: PruningWorld

/** Entries 0 to 3 are eight years old, 4 and 5 of today. */
beforeEach(async () => {
  world = new PruningWorld()
  await world.append(log, 'p1', 'p2', 'p1', 'p3')
  world.now += 8 * yearMs
  await world.append(log, 'p1', 'p4')
})

describe('a pruning', () => {
  test('lets go what is older than the policy, by an entry that says up to where and why', async () => {
    world.publish(log, 6)
    expect(await world.ask()).toMatchObject({ status: 200, json: { changed: true, log: 'qc-east', to: '4' } })
    expect(world.indices().slice(0, 3)).toEqual([4, 5, 6])
    expect(world.prunings()).toMatchObject([
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
    await world.drained()
    expect(world.ledger.prepare('select count(*) as n from ledger_leaf').get()?.n).toBe(
      world.sequencer().size,
    )
  })

  test('asked for again finds nothing more, and makes no further entry', async () => {
    world.publish(log, 6)
    await world.ask()
    expect(await world.ask()).toMatchObject({ status: 200, json: { changed: false } })
    expect(world.prunings()).toHaveLength(1)
  })

  test('spares what no checkpoint has made public', async () => {
    world.publish(log, 2)
    expect(await world.ask()).toMatchObject({ json: { to: '2' } })
    expect(world.indices().slice(0, 3)).toEqual([2, 3, 4])
  })

  test('spares the entries about a person on hold', async () => {
    world.publish(log, 6)
    world.hold('patient', 'p1')
    await world.ask()
    expect(world.indices().slice(0, 4)).toEqual([0, 2, 4, 5])
  })

  test('lets go what was on hold once the hold has ended, at the next pruning', async () => {
    world.publish(log, 6)
    const p1 = { kind: 'patient', key: 'p1' }
    const local = { ...officer, organisation: 'o' } as Caller
    expect(
      (await world.send(holdEntries, {}, { ...p1, reason: 'Procès en cours, dossier 500-17' }, local)).status,
    ).toBe(403)
    const held = { status: 200, json: { changed: true } }
    expect(
      await world.send(holdEntries, {}, { ...p1, reason: 'Procès en cours, dossier 500-17' }),
    ).toMatchObject(held)
    expect(
      await world.send(holdEntries, {}, { ...p1, reason: 'Procès en cours, dossier 500-17' }),
    ).toMatchObject({
      json: { changed: false },
    })
    await world.ask()
    expect((await world.send(endHold, {}, p1, local)).status).toBe(403)
    expect(await world.send(endHold, {}, p1)).toMatchObject(held)
    world.now += 10 * yearMs
    await world.append(log, 'p5')
    world.publish(log)
    expect(await world.ask()).toMatchObject(held)
    expect(world.indices()[0]).toBeGreaterThan(5)
    const changes = world.ledger.prepare(
      "select entry ->> '$.access.note.change' as c from ledger_body where action = 'policy'",
    )
    // Of today's age they too would have gone; those of redactions stay.
    expect(changes.all()).toEqual([])
    expect(world.prunings()).toHaveLength(2)
  })

  test('spares the entries of an organisation on hold', async () => {
    world.publish(log, 6)
    const [row] = world.ledger.prepare('select organisation from ledger_body where idx = 0').all()
    world.hold('organisation', String(row?.organisation))
    await world.ask()
    expect(world.indices().slice(0, 4)).toEqual([0, 1, 2, 3])
  })

  test.each([
    ['later than the policy lets go', { before: '2026-01-01T00:00:00Z' }, officer, 400],
    ['by the officer of one organisation', {}, { ...officer, organisation: 'o' } as Caller, 403],
    ['without a legal basis', { basis: '' }, officer, 400],
    ['with a parameter that nobody knows', { all: true }, officer, 400],
  ])('is refused %s', async (_, body, caller, status) => {
    world.publish(log, 6)
    expect((await world.ask(body, caller)).status).toBe(status)
    expect(world.indices().slice(0, 4)).toEqual([0, 1, 2, 3])
    expect(world.prunings()).toEqual([])
  })

  test('follows the policy, which never keeps less than the floor', async () => {
    world.publish(log, 6)
    world.records.db.exec("update policy_setting set value = 3650 where name = 'audit-retention-days'")
    expect(await world.ask()).toMatchObject({ json: { changed: false } })
    world.records.db.exec("update policy_setting set value = 1 where name = 'audit-retention-days'")
    const yesterday = new Date(world.now - 2 * 86_400_000).toISOString()
    expect((await world.ask({ before: yesterday })).status).toBe(400)
    expect(await world.ask()).toMatchObject({ json: { to: '4' } })
  })

  test('reads a time in any zone as the moment it is, and no year as later than it was', async () => {
    world.publish(log, 6)
    // 2018-11-22T09:00Z, when the oldest were made; in text it looks a day later, and a day earlier.
    for (const before of [
      '2018-11-22T23:00:00+14:00',
      '2018-11-21T19:00:00-14:00',
      '0000-01-01T00:00:00+14:00',
      '1969-12-31T23:59:59Z',
    ])
      expect(await world.ask({ before })).toMatchObject({ status: 200, json: { changed: false } })
    for (const before of [
      '9999-12-31T23:59:59-23:59',
      '+010000-01-01T00:00:00Z',
      '2018-11-22T09:00:00',
      '2018-11-22',
      '2018-13-22T09:00:00Z',
      'tomorrow',
    ])
      expect((await world.ask({ before })).status).toBe(400)
    expect([world.indices().slice(0, 6), world.prunings(), world.sequencer().countOpenIntents()]).toEqual([
      [0, 1, 2, 3, 4, 5],
      [],
      0,
    ])
    expect(await world.ask({ before: '2018-11-22T23:00:00.001+14:00' })).toMatchObject({ json: { to: '4' } })
  })

  test('says what the policy is when it keeps more than is asked for', async () => {
    world.records.db.exec("update policy_setting set value = 1 where name = 'audit-retention-days'")
    const { json } = await world.ask({ before: new Date(world.now - 86_400_000).toISOString() })
    expect(JSON.stringify(json)).toContain('keeps 365 days')
  })

  test('spares the intent of what is on hold, which names nobody yet', async () => {
    world = new PruningWorld()
    for (const patient of ['p1', 'p2']) {
      const intent = appendOf([null], 'o', { phase: 'intent' })
      await world.sequencer().append(intent)
      const { requestId } = intent
      await world.sequencer().append(appendOf([patient], 'o', { phase: 'outcome', requestId }))
    }
    await world.drained()
    world.publish(log)
    world.now += 8 * yearMs
    world.hold('patient', 'p2')
    expect(await world.ask()).toMatchObject({ json: { changed: true, to: '4' } })
    expect(world.indices().slice(0, 3)).toEqual([2, 3, 4])
  })

  test('is refused where a reason does not fit the entry that has to tell it', async () => {
    world.publish(log, 6)
    expect((await world.ask({ basis: '☃'.repeat(200) })).status).toBe(400)
    expect(world.prunings()).toEqual([])
  })

  test('is ordered by the schedule when it is due, once, and carried out as any intent', async () => {
    world.publish(log, 6)
    expect(await world.due()).toBe(1)
    expect(world.indices().slice(0, 4)).toEqual([0, 1, 2, 3])
    await world.drained()
    expect(await world.due()).toBe(0)
    world.now += limits.settleAfterMs
    expect(await world.settle()).toBe(1)
    expect(world.indices().slice(0, 2)).toEqual([4, 5])
    expect(world.prunings()).toMatchObject([
      { who: { practitioner: null }, decision: { outcome: 'permit', reason: 'retention-policy' } },
    ])
  })

  test('broken off before a body went is finished by the schedule, and once', async () => {
    world.publish(log, 6)
    world.isAway = true
    expect((await world.ask()).status).toBe(503)
    expect(world.indices().slice(0, 4)).toEqual([0, 1, 2, 3])
    world.now += limits.settleAfterMs
    expect(await world.settle()).toBe(0)
    world.isAway = false
    expect(await world.settle()).toBe(1)
    expect(world.indices().slice(0, 2)).toEqual([4, 5])
    expect(world.sequencer().countOpenIntents()).toBe(0)
    expect(await world.settle()).toBe(0)
  })
})
