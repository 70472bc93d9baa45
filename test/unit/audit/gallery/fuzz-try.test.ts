import { writeFileSync } from 'node:fs'
import { afterAll, test } from 'vitest'
import {
  chainExport,
  csv,
  csvRows,
  filteredExport,
  ndjson,
  policyText,
  publishedSite,
  rangeExport,
  sampleLog,
  tlogProof,
} from '../verify/sample-files.ts'
import { SampleLog } from '../verify/sample-log.ts'
import { mutateCsv, mutateExport, mutateSite, mutateText, randomOf } from './mutations.ts'
import * as s from './samples.ts'
import { askTypeScript, PythonVerifier, type Subject } from './verifiers.ts'

const python = new PythonVerifier()
afterAll(() => python.close())
const a = sampleLog('montreal', 45, true),
  b = sampleLog('quebec', 9),
  c = new SampleLog('gaspe')
const parts = [{ log: a }, { log: b }, { log: c }]
const policy = policyText([a, b, c], 2)
const range = ndjson(await rangeExport(parts))
const piece = ndjson(
  await rangeExport([
    { log: a, first: 5, end: 40, size: 43, known: 17 },
    { log: b, first: 2, end: 7 },
  ]),
)
const chain = ndjson(await chainExport('patient', 'p3', parts))
const org = ndjson(await chainExport('organisation', 'o1', parts))
const none = ndjson(await filteredExport(parts, (i) => i % 4 === 2))
const small = await rangeExport([{ log: a, first: 5, end: 30 }])
const proof = await tlogProof(a, 17)
const site = publishedSite([a, b, c])
const big = ndjson(s.piece)
const N = Number(process.env.N ?? 300)
const seed0 = Number(process.env.SEED ?? 1)
const kinds: Record<string, (r: ReturnType<typeof randomOf>) => { what: string; subject: Subject }> = {
  range: (r) => {
    const m = mutateExport(r, range, chain)
    return { what: m.what, subject: { file: m.bytes, policy } }
  },
  piece: (r) => {
    const m = mutateExport(r, piece, range)
    return { what: m.what, subject: { file: m.bytes, known: [a.checkpoint(17)] } }
  },
  chain: (r) => {
    const m = mutateExport(r, chain, org)
    return { what: m.what, subject: { file: m.bytes } }
  },
  org: (r) => {
    const m = mutateExport(r, org, none)
    return { what: m.what, subject: { file: m.bytes } }
  },
  none: (r) => {
    const m = mutateExport(r, none, org)
    return { what: m.what, subject: { file: m.bytes } }
  },
  big: (r) => {
    const m = mutateExport(r, big, range)
    return { what: m.what, subject: { file: m.bytes } }
  },
  csv: (r) => {
    const m = mutateCsv(r, csv(csvRows(small)), csv(csvRows(s.filtered)))
    return { what: m.what, subject: { file: m.bytes, proof: ndjson(small) } }
  },
  proof: (r) => {
    const m = mutateText(r, proof)
    return { what: m.what, subject: { file: m.bytes, policy } }
  },
  policy: (r) => {
    const m = mutateText(r, policy)
    return { what: m.what, subject: { file: chain, policy: Buffer.from(m.bytes).toString() } }
  },
  site: (r) => {
    const m = mutateSite(r, site)
    return { what: m.what, subject: { file: m.site } }
  },
}
const only = process.env.KINDS?.split(',')
test.each(Object.entries(kinds).filter(([k]) => !only || only.includes(k)))(
  '%s',
  { timeout: 3e6 },
  async (kind, make) => {
    const out: string[] = []
    let acc = 0
    for (let i = 0; i < N; i++) {
      const seed = seed0 * 1000000 + i
      const { what, subject } = make(randomOf(seed))
      let t: any
      try {
        t = await askTypeScript(subject)
      } catch (e: any) {
        t = { ok: false, code: 'CRASH', place: '', sentence: e.stack }
      }
      const p: any = await python.ask(subject)
      if (t.ok && p.ok) acc++
      const k = (v: any) => (v.ok ? 'ok' : `${v.code}|${v.place}|${v.source}`)
      if (k(t) !== k(p))
        out.push(
          `${kind} ${seed} ${JSON.stringify(what)}\n   TS ${k(t)} ${t.sentence}\n   PY ${k(p)} ${p.sentence}`,
        )
    }
    writeFileSync(`/tmp/fuzz-${kind}.txt`, out.join('\n') + '\n')
    console.log(kind, out.length, 'of', N, 'differ', acc, 'accepted')
  },
)
