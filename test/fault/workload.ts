/** What goes on around the log while it fails: hospitals that append, repeat and attest; starts; and then quiet. */

import canonicalize from 'canonicalize'
import type { AppendReply, AppendRequest, Attestation, AttestRequest } from '../../src/audit/port.ts'
import { base } from '../unit/audit/access.ts'
import type { World } from './world.ts'

/** One append as its caller knows it. */
export interface Told {
  readonly request: AppendRequest
  /** It asks until it is answered. */
  readonly isPatient: boolean
  readonly replies: { readonly reply: AppendReply; readonly life: number }[]
  refusal: string | null
}

export interface History {
  readonly appends: Told[]
  readonly attested: { readonly request: AttestRequest; readonly attestation: Attestation }[]
}

const minuteMs = 60_000

/** When nothing fails any more, and when the log must be quiet. */
export const faultsEndMs = 2 * minuteMs
export const quietByMs = 6 * minuteMs

const chains = [
  { kind: 'patient', key: 'p1' },
  { kind: 'organisation', key: 'chum' },
] as const

/** One more append, when all is quiet: the log goes on. */
export const probe = (world: World, history: History): Promise<void> =>
  new Client(world, history).append(requestOf('probe', ['p1'], 'chum'), false)

/** Starts the workload; it goes on as the world's time passes. */
export function begin(world: World): History {
  const history: History = { appends: [], attested: [] }
  const client = new Client(world, history)
  const at = (ms: number, run: () => void): void => world.time.after(ms, run)
  const lost = requestOf('lost answer', ['p1', 'p2'], 'chum')
  const once = { key: 'proof-1', untilMs: world.nowMs + 24 * 60 * minuteMs }

  at(0, () => void client.append(lost))
  at(0, () => void client.append(requestOf('same commit', ['p1'], 'chuq')))
  at(3, () => void client.append(requestOf('next commit', [null], 'chum')))
  at(60, () => void client.append(requestOf('intent', ['p3'], 'chum', { phase: 'intent' })))
  at(100, () => void client.append({ ...requestOf('once', ['p2'], 'chuq'), once: [once] }))
  at(140, () => void client.append({ ...requestOf('replay', ['p2'], 'chuq'), once: [once] }))
  at(180, () => void client.attest({ chains, list: [] }))
  at(220, () => void client.append(requestOf('once and gone', ['p4'], null), false))
  at(20_000, () => backUp(world))
  at(
    35_000,
    () => void client.append(requestOf('outcome', ['p3'], 'chum', { requestId: 'intent', phase: 'outcome' })),
  )
  at(35_030, () => void client.append(requestOf('many', ['p1', 'p2', null], 'chuq')))
  at(35_100, () => void client.attest({ chains: [], list: [] }))
  at(35_200, () => world.kill())
  at(35_210, () => void client.append(lost))
  at(35_212, () => void client.append(requestOf('after the first start', ['p1'], 'chum')))
  at(35_260, () => void client.waitForPublished())
  at(35_400, () => void client.attest({ chains: [], list: [] }))
  at(70_000, () => void client.append(requestOf('in between', ['p5'], 'chum')))
  at(70_001, () => world.kill())
  at(70_010, () => void client.append(requestOf('after the second start', ['p1', 'p5'], 'chuq')))
  at(70_200, () => void client.attest({ chains, list: [] }))
  at(faultsEndMs, () => world.endFaults())
  at(75_000, () => void client.append(requestOf('last', ['p1'], 'chum')))
  return history
}

class Client {
  readonly #world: World
  readonly #history: History

  constructor(world: World, history: History) {
    this.#world = world
    this.#history = history
  }

  /** Asks until there is an answer, as a caller must who may not let anything go without one. */
  async append(request: AppendRequest, isPatient = true): Promise<void> {
    const told: Told = { request, isPatient, replies: [], refusal: null }
    this.#history.appends.push(told)
    for (let pauseMs = 25; this.#world.time.nowMs < quietByMs; pauseMs = Math.min(2 * pauseMs, 2_000)) {
      const answer = await this.#world.append(request)
      if (answer !== 'lost') {
        if (answer.ok) {
          told.replies.push({ reply: answer.value, life: this.#world.current?.life.number ?? 0 })
          return
        }
        told.refusal = answer.error.reason
        if (answer.error.reason === 'replayed') return
        if (this.#world.current?.log.status().standing === 'halted') return
      }
      if (!isPatient) return
      await this.#world.time.sleep(pauseMs)
    }
  }

  async attest(request: AttestRequest): Promise<void> {
    const attestation = await this.#world.attest(request)
    if (attestation) this.#history.attested.push({ request, attestation })
  }

  async waitForPublished(): Promise<void> {
    const opened = this.#world.open()
    await opened.published(Number(opened.status().size), 1_000)
  }
}

/** Looks again until what is stored is durable: a backup is taken of that. */
function backUp(world: World): void {
  if (world.storage.backUp()) world.ledger.backUp()
  else world.time.after(1, () => backUp(world))
}

export function requestOf(
  requestId: string,
  patients: readonly (string | null)[],
  organisation: string | null,
  more: Partial<AppendRequest> = {},
): AppendRequest {
  const id = more.requestId ?? requestId
  const phase = more.phase ?? 'access'
  const entries = patients.map((patient, i) => {
    const who = { ...base.who, organisation }
    const access = {
      ...base,
      requestId: id,
      phase,
      who,
      patient,
      part: i + 1,
      parts: patients.length,
      resources: [],
    }
    return { access: canonicalize(access) as string, patient, organisation }
  })
  return { requestId: id, phase, sequence: 0, entries, once: [], ...more }
}
