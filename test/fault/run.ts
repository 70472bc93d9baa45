/** Runs one schedule of faults in one of the worlds a log may begin in, and says what is wrong at the end. */
import type { LogRow } from '../../src/audit/log-store.ts'
import { openLedger } from '../unit/audit/support.ts'
import { check, type Evidence, type Known, newKnown, unfinished } from './checker.ts'
import { type Fault, FaultPlan, nameOf } from './faults.ts'
import { SimulatedDatabase } from './simulated-storage.ts'
import { begin, faultsEndMs, probe, quietByMs, requestOf, type Told } from './workload.ts'
import { log, type Memory, origin, type Released, type Restore, World } from './world.ts'

/** `fresh`: an empty log. `edge`: three entries before its tile is full. `older`: from before there were checkpoints. */
export type Beginning = 'fresh' | 'edge' | 'older'

interface Start {
  readonly world: World
  readonly memory: Memory
  /** What the checker found out about the entries that all runs from here begin with. */
  readonly known: Known
}

export interface Outcome {
  readonly schedule: string
  readonly fired: number
  readonly wrong: readonly string[]
  readonly world: World
}

const starts = new Map<Beginning, Start>()

async function startOf(beginning: Beginning): Promise<Start> {
  const known = starts.get(beginning)
  if (known) return known
  const start = await build(beginning)
  starts.set(beginning, start)
  return start
}

async function build(beginning: Beginning): Promise<Start> {
  const world = new World()
  world.begin(new FaultPlan([]), beginning)
  const restore = world.time.install()
  if (beginning !== 'fresh') {
    const requests = Array.from({ length: 23 }, (_, i) =>
      requestOf(`before ${i}`, Array(11).fill(`p${i % 7}`), 'chum'),
    )
    for (const request of requests) void world.append(request)
    await world.time.run(60_000)
  }
  await end(world)
  restore()
  world.storage.keep()
  world.ledger.keep()
  if (beginning !== 'older') return { world, memory: world.memory, known: knownOf(world) }
  for (const table of ['publication', 'checkpoint', 'undrained']) world.storage.all(`delete from ${table}`)
  const ledger = new SimulatedDatabase(openLedger())
  for (const { idx, leaf } of world.ledger.all(
    'select idx, leaf from ledger_leaf where log = ? order by idx',
    log,
  ))
    ledger.all('insert into ledger_leaf (log, idx, leaf) values (?, ?, ?)', log, idx ?? 0, leaf ?? 0)
  for (const { idx, salt, entry } of world.ledger.all(
    'select idx, salt, entry from ledger_body where log = ?',
    log,
  ))
    ledger.all(
      'insert into ledger_body (log, idx, salt, entry) values (?, ?, ?, ?)',
      log,
      idx ?? 0,
      salt ?? 0,
      entry ?? 0,
    )
  const memory = { cosigned: null, anchor: null }
  const older = new World(world.signer, world.storage, ledger, memory)
  return { world: older, memory, known: knownOf(older) }
}

/** Lets the last instance finish its thoughts while the timers are still simulated. */
async function end(world: World): Promise<void> {
  world.kill()
  await world.time.run(world.time.nowMs)
}

const knownOf = (world: World): Known =>
  newKnown(Number(world.ledger.all('select count(*) as n from ledger_leaf')[0]?.n))

export async function runSchedule(
  beginning: Beginning,
  faults: readonly Fault[],
  seed: number,
): Promise<Outcome> {
  const { world: from, memory, known } = await startOf(beginning)
  const world = new World(from.signer, from.storage, from.ledger, memory)
  const schedule = `${beginning}, seed ${seed}: ${nameOf(faults)}`
  const plan = new FaultPlan(faults)
  const restore = world.time.install()
  try {
    world.begin(plan, schedule)
    const history = begin(world)
    const evidence = (): Evidence => ({
      log,
      origin,
      publicKey: world.signer.publicKey,
      ledger: (sql, ...params) => world.ledger.all(sql, ...params),
      storage: (sql, ...params) => world.storage.all(sql, ...params),
      released: world.released,
      history,
      known,
      accusations: world.accusations,
      cosignedSize: Number(world.cosigned?.size ?? 0),
      anchoredSize: world.anchor?.size ?? 0,
    })
    await world.time.run(faultsEndMs + 1)
    await world.time.run(quietByMs, () => isQuiet(world, evidence))
    const left = isStuck(world) ? [] : unfinished(evidence()).map((what) => `by itself: ${what}`)
    const probed = probe(world, history)
    await world.time.run(
      quietByMs + 60_000,
      () => history.appends.at(-1)?.replies.length === 1 && isQuiet(world, evidence),
    )
    await probed
    return { schedule, fired: plan.fired, wrong: [...left, ...judge(world, evidence())], world }
  } finally {
    await end(world)
    restore()
    world.storage.undo()
    world.ledger.undo()
  }
}

/** Restored to a state that somebody remembers better: it has halted, or cannot go on. */
const isStuck = ({ current, restores }: World): boolean => {
  if (restores.length === 0 || !current) return false
  const { standing, fault } = current.log.status()
  return standing === 'halted' || /holds another (leaf|entry)/.test(fault ?? '')
}

/** Everything is done that was to be done, or never will be. */
const isQuiet = (world: World, evidence: () => Evidence): boolean =>
  isStuck(world) || ((!world.current || world.current.log.isSettled) && unfinished(evidence()).length === 0)

function judge(world: World, evidence: Evidence): string[] {
  const status = world.open().status()
  const { restores } = world
  const restored = restores.at(-1)
  if (restored && status.standing === 'halted') return judgeHalted(world, evidence, restored)
  // What was acknowledged after the backup, and had not left the storage: its receipts alone can show it.
  const isLost = ({ reply, life }: Told['replies'][number]): boolean =>
    restores.some((restore) => life < restore.life && Number(reply.first) + reply.count > restore.size)
  const wrong = check({ ...evidence, released: remembered(world, evidence) }, isLost)
  if (restored && restored.knownTo.length > 0) wrong.push('others remember more than the log, and it goes on')
  // Then what a dead instance had sent has arrived since.
  if (isStuck(world)) return wrong
  if (status.standing !== 'anchored') wrong.push(`the log is ${status.standing}`)
  // A backup may be from before the outcome.
  if (status.openIntents > 0 && !restored) wrong.push(`${status.openIntents} intents are open`)
  if (status.fault) wrong.push(status.fault)
  return [...wrong, ...status.witnesses, ...unfinished(evidence)]
}

/**
 * Without what was let out after a backup and that nobody remembers who could tell the log: heads of entries that had not
 * left its storage; and, where the audit database was set back too, checkpoints no witness and no replica had got.
 */
function remembered({ restores }: World, { released }: Evidence): readonly Released[] {
  const isForgotten = (each: Released, i: number): boolean =>
    restores.some(
      ({ released: before, kept, withLedger }) =>
        i < before && !kept.includes(each.note) && (withLedger || each.port === 'attestation'),
    )
  return released.filter((each, i) => !isForgotten(each, i))
}

/**
 * A log halts only where somebody remembers more than the backup. What it took before it knew is in its own storage, for
 * its successor; nothing that it signed is in question, and it signs no more.
 */
function judgeHalted(world: World, evidence: Evidence, restored: Restore): string[] {
  const { life: restoredIn, size, knownTo, released, kept } = restored
  const before = new Set([...kept, ...evidence.released.slice(0, released).map(({ note }) => note)])
  const signs = evidence.released.slice(released).some(({ note }) => !before.has(note))
  const wrong = signs && world.canBeTold(restored) ? ['a log that must halt has signed'] : []
  if (knownTo.length === 0) wrong.push('the log has halted, and nobody knew more than it')
  if (world.restores.every(({ withLedger }) => !withLedger))
    wrong.push(
      ...check(evidence, ({ reply, life }) => life >= restoredIn || Number(reply.first) + reply.count > size),
    )
  for (const { request, replies } of evidence.history.appends) {
    for (const { reply, life } of replies) {
      const isThere = ([row]: readonly LogRow[]): boolean =>
        String(row?.entry).startsWith(`{"access":${request.entries[0]?.access},`)
      const first = Number(reply.first)
      const isKept =
        isThere(evidence.storage('select entry from undrained where idx = ?', first)) ||
        isThere(evidence.ledger('select entry from ledger_body where log = ? and idx = ?', log, first))
      if (life >= restoredIn && first >= size && !isKept)
        wrong.push(`append ${request.requestId} cannot be salvaged`)
    }
  }
  return wrong
}
