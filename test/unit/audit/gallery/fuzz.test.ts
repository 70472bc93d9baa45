/** The two verifiers over files with one random change: they agree whether, what and where something is wrong. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  auditEvents,
  chainExport,
  csv,
  csvRows,
  events,
  filteredExport,
  ndjson,
  policyText,
  publishedSite,
  rangeExport,
  sampleLog,
  tlogProof,
} from '../verify/sample-files.ts'
import { SampleLog } from '../verify/sample-log.ts'
import {
  mutateCsv,
  mutateEvents,
  mutateExport,
  mutateSite,
  mutateText,
  type Random,
  randomOf,
} from './mutations.ts'
import * as large from './samples.ts'
import {
  askTypeScript,
  hasPython,
  PythonVerifier,
  type Subject,
  sameCrypto,
  type Verdict,
} from './verifiers.ts'

/** Changes of each kind. More of them: `FUZZ_CHANGES=5000`, others: `FUZZ_SEED=2`. */
const changes = Number(process.env.FUZZ_CHANGES ?? 150)
const firstSeed = Number(process.env.FUZZ_SEED ?? 1) * 1_000_000

const montreal = sampleLog('montreal', 45, true)
const quebec = sampleLog('quebec', 9)
const logs = [montreal, quebec, new SampleLog('gaspe')]
const parts = logs.map((log) => ({ log }))
const policy = policyText(logs, 2)

const range = ndjson(await rangeExport(parts))
const piece = ndjson(
  await rangeExport([
    { log: montreal, first: 5, end: 40, size: 43, known: 17 },
    { log: quebec, first: 2, end: 7 },
  ]),
)
const patientChain = ndjson(await chainExport('patient', 'p3', parts))
const organisationChain = ndjson(await chainExport('organisation', 'o1', parts))
const filtered = ndjson(await filteredExport(parts, (index) => index % 4 === 2))
const small = await rangeExport([{ log: montreal, first: 5, end: 30 }])
const proofOf17 = await tlogProof(montreal, 17)
const site = publishedSite(logs)

interface Changed {
  readonly what: string
  readonly subject: Subject
}

/** @param donor lines of it may be put in */
const ofExport =
  (text: string, donor: string, beside: Omit<Subject, 'file'>) =>
  (random: Random): Changed => {
    const { what, bytes } = mutateExport(random, text, donor)
    return { what, subject: { ...beside, file: bytes } }
  }

const kinds: readonly (readonly [string, (random: Random) => Changed])[] = [
  ['a range', ofExport(range, patientChain, { policy })],
  ['a part of a range', ofExport(piece, range, { known: [montreal.checkpoint(17)] })],
  ['a range with blocks', ofExport(ndjson(large.piece), range, {})],
  ['a patient’s chain', ofExport(patientChain, organisationChain, {})],
  ['an organisation’s chain', ofExport(organisationChain, filtered, { policy })],
  ['a filtered export', ofExport(filtered, organisationChain, {})],
  [
    'rows',
    (random) => {
      const { what, bytes } = mutateCsv(random, csv(csvRows(small)), csv(csvRows(large.filtered)))
      return { what, subject: { file: bytes, proof: ndjson(small) } }
    },
  ],
  [
    'AuditEvents',
    (random) => {
      const { what, bytes } = mutateEvents(
        random,
        events(auditEvents(small)),
        events(auditEvents(large.filtered)),
      )
      return { what, subject: { file: bytes, proof: ndjson(small) } }
    },
  ],
  [
    'the proof of an entry',
    (random) => {
      const { what, bytes } = mutateText(random, proofOf17)
      return { what, subject: { file: bytes, policy } }
    },
  ],
  [
    'a policy',
    (random) => {
      const { what, bytes } = mutateText(random, policy)
      return { what, subject: { file: patientChain, policy: Buffer.from(bytes).toString() } }
    },
  ],
  [
    'what logs publish',
    (random) => {
      const { what, site: changed } = mutateSite(random, site)
      return { what, subject: { file: changed, policy } }
    },
  ],
]

const told = (verdict: Verdict): string =>
  verdict.ok ? 'verified' : `${verdict.code}: ${verdict.place} of ${verdict.source}`

type Fault = Verdict & { readonly ok: false }

const isOfRecord = (one: Fault, other: Fault): boolean =>
  one.code === 'format' && one.place.startsWith('row ') && other.code.startsWith('csv-')

/** Where they may differ, and why that is right. Both refuse even then. */
const exceptions: readonly (readonly [
  string,
  (what: string, typeScript: Fault, python: Fault) => boolean,
])[] = [
  ['two files were changed, and each names one of them', (what) => what.includes('exchanged with')],
  [
    // Each has a reading of what RFC 4180 has no rule for: one tells the record, the other what it reads in it.
    'a quote or carriage return stands where a record of CSV has none',
    (_, typeScript, python) => isOfRecord(typeScript, python) || isOfRecord(python, typeScript),
  ],
]

describe.skipIf(!hasPython)('the verifiers', () => {
  let python: PythonVerifier
  beforeAll(() => {
    python = new PythonVerifier()
  })
  afterAll(() => python?.close())

  test.each(kinds)('agree on %s with one random change', { timeout: 3_600_000 }, async (_, change) => {
    const verdicts = new Map<string, number>()
    for (let seed = firstSeed; seed < firstSeed + changes; seed += 1) {
      const { what, subject } = change(randomOf(seed))
      const first = await askTypeScript(subject, sameCrypto)
      const second = await python.ask(subject)
      const isExcepted = !first.ok && !second.ok && exceptions.some(([, holds]) => holds(what, first, second))
      if (!isExcepted) expect({ seed, what, told: told(second) }).toEqual({ seed, what, told: told(first) })
      const code = first.ok ? 'verified' : first.code
      verdicts.set(code, (verdicts.get(code) ?? 0) + 1)
    }
    // Changes that nearly all ended in one way would find little.
    expect(verdicts.size).toBeGreaterThan(2)
    expect(verdicts.get('verified') ?? 0).toBeLessThan(changes / 2)
  })
})
