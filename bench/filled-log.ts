/**
 * A log of made-up accesses as it stands in the audit database once it is published: leaves, bodies, tiles, a checkpoint,
 * all made by the log's own functions. Nobody serves it: it is exported as far as its checkpoint goes.
 */
import { randomBytes } from 'node:crypto'
import { entryText, leafOf, saltBytes, sha256 } from '../src/audit/commitment.ts'
import { type AccessBase, buildEntries } from '../src/audit/entry.ts'
import { type LogSigner, logSigner } from '../src/audit/log-signer.ts'
import type { ChainHead, StoredEntry } from '../src/audit/log-state.ts'
import { outsideStore } from '../src/audit/outside-store.ts'
import type { EntryDraft } from '../src/audit/port.ts'
import { leafHash } from '../src/audit/tlog/hash.ts'
import { TileEdge } from '../src/audit/tlog/tile.ts'
import { limits } from '../src/limits.ts'
import type { ClusterDatabase } from '../src/local/cluster.ts'
import { organisations } from '../src/local/sample/directory.ts'
import { hranaWriter } from '../src/store/hrana.ts'

/** Entries sent at once: about 3 MB, of the 5 MB that sqld takes. */
const batchEntries = 2_000

/**
 * People come for a visit: so many accesses in a row are about so many patients, by so many of the professionals. A chart is
 * opened twenty times in a visit.
 */
const visit = { accesses: 2_000, patients: 100, professionals: 120 }

/** Milliseconds since 1970. */
export interface Period {
  readonly from: number
  readonly to: number
}

const lastMonths: Period = { from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 301) }

/** When the access at `index` was, of so many: ISO 8601, UTC. */
export const timeOf = (index: number, total: number, { from, to }: Period = lastMonths): string =>
  new Date(from + Math.floor((index / total) * (to - from))).toISOString()

export interface Filling {
  readonly period?: Period
  /** That of the record's own logs, where one of them is to be filled. */
  readonly seed?: Uint8Array
  readonly prefix?: string
}

/** @param onBatch called with the entries that are in the database by then */
export async function fillLog(
  audit: ClusterDatabase,
  log: string,
  entries: number,
  onBatch: (done: number) => void = () => {},
  { period = lastMonths, seed = randomBytes(32), prefix = 'bench.invalid' }: Filling = {},
): Promise<void> {
  const store = outsideStore(hranaWriter({ url: audit.url, token: audit.writeToken }), limits.drainDeadlineMs)
  const signer = logSigner(seed, log, `${prefix}/audit/logs/${log}`)
  await store.register(signer.identity, null)
  const maker = new EntryMaker(log, entries, period)
  let edge = TileEdge.empty()
  for (let from = 0; from < entries; ) {
    const blockEnd = Math.min(from + limits.maxPublishEntries, entries)
    const hashes: Uint8Array[] = []
    while (from < blockEnd) {
      const batch = maker.make(from, Math.min(from + batchEntries, blockEnd))
      await store.append(log, batch)
      for (const { leaf } of batch) hashes.push(leafHash(sha256, leaf))
      from += batch.length
      onBatch(from)
    }
    const grown = edge.append(sha256, hashes)
    await store.putTiles(log, grown.tiles)
    edge = grown.edge
  }
  await store.putCheckpoint(log, checkpointOf(signer, edge, entries, period.to))
}

function checkpointOf(signer: LogSigner, edge: TileEdge, size: number, time: number) {
  return { size, time, note: signer.signCheckpoint(size, edge.root(sha256), time) }
}

/** Entries one after the other, with their places in the chains. */
class EntryMaker {
  readonly #heads = new Map<string, ChainHead>()
  readonly #log: string
  readonly #total: number
  readonly #period: Period

  constructor(log: string, total: number, period: Period) {
    this.#log = log
    this.#total = total
    this.#period = period
  }

  make(from: number, end: number): StoredEntry[] {
    return Array.from({ length: end - from }, (_, i) => this.#make(from + i))
  }

  #make(index: number): StoredEntry {
    const draft = draftOf(index)
    const entry = entryText(draft.access, {
      log: this.#log,
      index,
      time: timeOf(index, this.#total, this.#period),
      organisation: this.#follow('o', draft.organisation, index),
      patient: this.#follow('p', draft.patient, index),
    })
    const salt = randomBytes(saltBytes)
    return { index, entry, salt, leaf: leafOf(salt, entry) }
  }

  /** The chain's newest entry so far, and this one after it; null: in no chain. */
  #follow(kind: 'o' | 'p', key: string | null, index: number): ChainHead | undefined | null {
    if (key === null) return null
    const head = this.#heads.get(kind + key)
    this.#heads.set(kind + key, { previous: index, count: (head?.count ?? 0) + 1 })
    return head
  }
}

const facilities = 24
const professionals = 1_200
const roles = ['physician', 'nurse', 'pharmacist', 'archivist'] as const
const types = ['Observation', 'MedicationRequest', 'DiagnosticReport', 'AllergyIntolerance'] as const

/** One in this many is denied, and one in this many an emergency. */
const denialEvery = 53
const emergencyEvery = 997

function draftOf(index: number): EntryDraft {
  const turn = Math.floor(index / visit.accesses)
  const patient = `person${turn * visit.patients + (index % visit.patients)}`
  const professional = (turn * 7 + (index % visit.professionals)) % professionals
  const facility = professional % facilities
  const organisation = (organisations[facility % organisations.length] as (typeof organisations)[number]).id
  const type = types[index % types.length] as string
  const isDenied = index % denialEvery === 0
  const resources = isDenied
    ? []
    : Array.from({ length: index % 8 }, (_, i) => `${type}/${idOf(index, i)}/_history/1`)
  const base = accessBase(index, { professional, facility, organisation, type, isDenied })
  const built = buildEntries(base, [{ patient, resources }], organisation)
  const [draft] = built.ok ? built.value : []
  if (!draft) throw new Error(`no entry of access ${index}`)
  return draft
}

const idOf = (index: number, i: number): string => `${index}x${i}`.padStart(26, 'a')

interface AccessFacts {
  readonly professional: number
  readonly facility: number
  readonly organisation: string
  readonly type: string
  readonly isDenied: boolean
}

function accessBase(
  index: number,
  { professional, facility, organisation, type, isDenied }: AccessFacts,
): AccessBase {
  const path = `/fhir/${type}`
  const isEmergency = index % emergencyEvery === 0
  return {
    requestId: `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
    clientRequestId: null,
    phase: 'access',
    action: index % 3 === 0 ? 'read' : 'search',
    operation: 'search-type',
    who: {
      issuer: 'https://identity.example',
      subject: `subject-${professional}`,
      client: 'ward-app',
      practitioner: `professional-${professional}`,
      name: `Dre Élise Gagnon-Tremblay (${professional})`,
      role: roles[professional % roles.length] as string,
      facility: `facility-${facility}`,
      organisation,
      token: `jti-${index}`,
      address: '192.0.2.17',
    },
    purpose: isEmergency ? 'BTG' : 'TREAT',
    breakGlassReason: isEmergency ? 'Patient inconscient, allergies à connaître sans délai' : null,
    query: {
      method: 'GET',
      path,
      text: `${path}?patient=${idOf(index, 0)}&_count=50&date=ge2024-01-01`,
      sha256: index.toString(16).padStart(64, '0'),
    },
    decision: {
      outcome: isDenied ? 'deny' : 'permit',
      reason: isDenied ? 'no-care-relationship' : 'shared-domain',
      detail: null,
    },
    policyVersion: 'abcdef01.1234',
    staleness: null,
    status: isDenied ? 403 : 200,
    note: null,
  }
}
