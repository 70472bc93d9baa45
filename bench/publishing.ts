/** Publishing over HTTP: resources a second, and what each costs the processes and the replication stream. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publish } from '../src/local/client/publisher.ts'
import { type Cluster, type ProcessName, startCluster } from '../src/local/cluster.ts'
import type { Figure, Measured, Scale, Scenario } from './scenario.ts'

const writers = 4
const resourcesPerBundle = 150
const bundles = { full: 200, quick: 40 }
/** Before anything is measured: code compiled, definitions loaded, tables no longer empty. */
const warmUpBundles = 8
/** Of `/proc/<pid>/stat` (proc(5)); 100 on every Linux. */
const ticksPerSecond = 100

export const publishing: Scenario = { name: 'publishing', run }

async function run({ entries }: Scale): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'dossier-bench-'))
  const cluster = await startCluster({ home: join(folder, 'home'), port: 0 })
  try {
    const token = await cluster.token('system-hopital-mont-royal')
    const target = { url: cluster.url, token: async () => token, language: 'en' as const }
    const send = async (from: number, count: number): Promise<number> => {
      let next = from
      let taken = 0
      const writer = async (): Promise<void> => {
        for (let n = next++; n < from + count; n = next++) {
          const { effects, rejects } = await publish(target, JSON.stringify(bundleOf(n)))
          if (rejects.length > 0) throw new Error(`not published: ${rejects[0]?.reason}`)
          taken += effects.length
        }
      }
      await Promise.all(Array.from({ length: writers }, writer))
      return taken
    }
    await send(0, warmUpBundles)
    const count = entries >= 1_000_000 ? bundles.full : bundles.quick
    const before = { at: performance.now(), frames: await framesOf(cluster), cpu: cpuOf(cluster) }
    const taken = await send(warmUpBundles, count)
    const seconds = (performance.now() - before.at) / 1_000
    const frames = (await framesOf(cluster)) - before.frames
    const cpu = cpuOf(cluster)
    const each = (name: ProcessName): number =>
      (1_000 * ((cpu.get(name) ?? 0) - (before.cpu.get(name) ?? 0))) / taken
    return {
      figures: [
        {
          name: `resources published, ${writers} writers of ${resourcesPerBundle} each`,
          value: taken / seconds,
          unit: 'resources/s',
          goal: { kind: 'at least', value: 5_000 },
        },
        {
          name: 'replication frames per resource',
          value: frames / taken,
          unit: 'frames',
          goal: { kind: 'at most', value: 2 },
        },
        ...(['worker', 'records-primary', 'records-replica', 'local-montreal'] as const).map(
          (name): Figure => ({ name: `CPU of ${name}`, value: each(name), unit: 'ms/resource', goal: null }),
        ),
      ],
      skipped: [],
    }
  } finally {
    await cluster.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of the log that the replica follows: what the primary has written so far, each frame one page of 4 KiB. */
async function framesOf({ databases: { primary } }: Cluster): Promise<number> {
  const response = await fetch(`${primary.url}/v2/pipeline`, {
    method: 'POST',
    headers: { authorization: `Bearer ${primary.readToken}` },
    body: JSON.stringify({
      requests: [{ type: 'execute', stmt: { sql: 'select 1' } }, { type: 'close' }],
    }),
  })
  const answer = (await response.json()) as {
    readonly results: readonly { readonly response?: { readonly result?: { replication_index?: string } } }[]
  }
  return Number(answer.results[0]?.response?.result?.replication_index)
}

/** Seconds of processor time used so far. */
function cpuOf({ processes }: Cluster): ReadonlyMap<ProcessName, number> {
  const names = Object.keys(processes) as ProcessName[]
  return new Map(
    names.map((name) => {
      // After the name, which may hold spaces.
      const fields = readFileSync(`/proc/${processes[name].pid()}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
      return [name, (Number(fields[11]) + Number(fields[12])) / ticksPerSecond]
    }),
  )
}

const uuid = (bundle: number, n: number): string =>
  `${bundle.toString(16).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

/** A made-up visit: a person, an encounter, and results of it. */
function bundleOf(bundle: number) {
  const [person, visit] = [uuid(bundle, 0), uuid(bundle, 1)]
  const subject = { subject: { reference: `urn:uuid:${person}` } }
  const day = `2024-0${1 + (bundle % 9)}-${String(1 + (bundle % 28)).padStart(2, '0')}`
  const coded = (system: string, code: string, display: string) => ({
    coding: [{ system, code, display }],
    text: display,
  })
  const observation = (n: number) => ({
    resourceType: 'Observation',
    id: uuid(bundle, n),
    status: 'final',
    category: [
      coded('http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory', 'Laboratory'),
    ],
    code: coded('http://loinc.org', `${2000 + (n % 40)}-${n % 10}`, `Measured quantity ${n % 40}`),
    ...subject,
    encounter: { reference: `urn:uuid:${visit}` },
    effectiveDateTime: `${day}T08:${String(n % 60).padStart(2, '0')}:00-05:00`,
    issued: `${day}T13:${String(n % 60).padStart(2, '0')}:00.000Z`,
    valueQuantity: { value: n / 10, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' },
    referenceRange: [{ low: { value: 3.5, unit: 'mmol/L' }, high: { value: 5.1, unit: 'mmol/L' } }],
  })
  const resources = [
    {
      resourceType: 'Patient',
      id: person,
      name: [{ family: `Essai ${bundle}`, given: ['Banc'] }],
      gender: 'female',
      birthDate: '1950-01-01',
    },
    {
      resourceType: 'Encounter',
      id: visit,
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      ...subject,
      period: { start: `${day}T08:00:00-05:00`, end: `${day}T09:00:00-05:00` },
    },
    ...Array.from({ length: resourcesPerBundle - 2 }, (_, i) => observation(i + 2)),
  ]
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: resources.map((resource) => ({
      fullUrl: `urn:uuid:${resource.id}`,
      resource,
      request: { method: 'POST', url: resource.resourceType },
    })),
  }
}
