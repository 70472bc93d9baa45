/** Untampered subjects of each kind: what the cases of the gallery are made of. */

import { accessBases, subjectsOf } from '../accesses.ts'
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
import type { Subject } from './verifiers.ts'

/** 303 entries; 3, 10 and 11 are redacted by 20, 41 and 302. */
export const montreal = sampleLog('montreal', 300, true)
/** 24 entries. */
export const quebec = sampleLog('quebec', 24)
export const gaspe = new SampleLog('gaspe')
/** Another history of `montreal`, of the same size and under the same keys. */
export const fork = sampleLog('montreal', 90)
for (let i = fork.size; i < montreal.size; i += 1) fork.append({ patient: 'somebody else' })
export const logs = [montreal, quebec, gaspe]

/** 80 entries and the pruning entry; 0 to 49 went by it, but for 10 and 11, which are held, and 3, which was redacted. */
export const laval = new SampleLog('laval')
for (let i = 0; i < 80; i += 1) {
  if (i === 20) laval.redact(3)
  else laval.append({ patient: i === 7 ? 'gone' : `p${i % 4}`, organisation: `o${i % 3}` })
}
laval.prune(50, [10, 11])
/** Of a line of three: the first went up to 20 by the entry of the second, the second up to 10 by one of the third. */
export const gatineau = [1, 2, 3].map((n) => {
  const log = new SampleLog(n === 1 ? 'gatineau' : `gatineau-${n}`)
  for (let i = 0; i < 30; i += 1) log.append({ patient: `p${i % 2}`, organisation: 'o2' })
  return log
}) as [SampleLog, SampleLog, SampleLog]
gatineau[0].prune(20, [], gatineau[1])
gatineau[1].prune(10, [], gatineau[2])
const prunedLogs = [laval, ...gatineau]
export const prunedParts = prunedLogs.map((log) => ({ log }))

const parts = logs.map((log) => ({ log }))

/** A name too long for the id of an event. */
const odd = new SampleLog(`o${'-dd'.repeat(20)}`)
for (const [i, access] of accessBases.entries())
  odd.append({ ...subjectsOf(i), organisation: access.who.organisation, more: access })
const oddPart = await rangeExport([{ log: odd }])

export const policy = policyText(logs, 2)

export const range = await rangeExport(parts)
/** From 5 up to 290 of montreal, when it had 295 entries; 11 is redacted by an entry beyond. */
export const piece = await rangeExport([{ log: montreal, first: 5, end: 290, size: 295, known: 100 }])
export const patientChain = await chainExport('patient', 'p3', parts)
/** Of one person under two ids; 3 is redacted of the first, 10 of the second. */
export const unionChain = await chainExport('patient', ['p3', 'p4'], parts)
export const organisationChain = await chainExport('organisation', 'o1', parts)
export const emptyChain = await chainExport('patient', 'nobody', parts)
export const filtered = await filteredExport(parts, (index) => index % 9 === 2)
export const proofOf77 = await tlogProof(montreal, 77)

export const prunedRange = await rangeExport(prunedParts)
/** The pruning entry of laval is after the part, that of gatineau before it, in a log of which nothing else is there. */
export const prunedPiece = await rangeExport([
  { log: laval, first: 5, end: 60 },
  { log: gatineau[0], first: 2, end: 25 },
  { log: gatineau[1], first: 31, end: 31 },
])
export const prunedChain = await chainExport('patient', 'p0', prunedParts)
/** Of one person under two ids. */
export const prunedUnion = await chainExport('patient', ['p0', 'gone'], prunedParts)
/** Nothing of it is left. */
export const goneChain = await chainExport('patient', 'gone', prunedParts)

export const kinds = {
  range: { file: ndjson(range), policy },
  piece: { file: ndjson(piece), known: [montreal.checkpoint(100), montreal.checkpoint()] },
  'patient chain': { file: ndjson(patientChain), policy },
  'union chain': { file: ndjson(unionChain), policy },
  'organisation chain': { file: ndjson(organisationChain) },
  'empty chain': { file: ndjson(emptyChain), policy },
  filtered: { file: ndjson(filtered), policy },
  'pruned range': { file: ndjson(prunedRange), policy: policyText(prunedLogs, 0) },
  'pruned piece': { file: ndjson(prunedPiece) },
  'pruned union': { file: ndjson(prunedUnion), policy: policyText(prunedLogs, 0) },
  'gone chain': { file: ndjson(goneChain) },
  'pruned chain': { file: ndjson(prunedChain), policy: policyText(prunedLogs, 0) },
  CSV: { file: csv(csvRows(piece)), proof: ndjson(piece) },
  AuditEvents: { file: events(auditEvents(piece)), proof: ndjson(piece) },
  'AuditEvents of every access': { file: events(auditEvents(oddPart)), proof: ndjson(oddPart) },
  'tlog-proof': { file: proofOf77, policy },
  site: { file: publishedSite(logs), policy, known: [montreal.checkpoint(100), quebec.checkpoint()] },
} satisfies Record<string, Subject>

export type Kind = keyof typeof kinds
