/** The tour's last part: what the audit log proves, to whom, and what becomes of whoever changes it. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { portableCrypto } from '../audit/verify/portable-crypto.ts'
import type { Report } from '../audit/verify/report.ts'
import { verify } from '../audit/verify/verify.ts'
import { hranaWriter } from '../store/hrana.ts'
import { exportAudit } from './client/audit-export.ts'
import { check, say, type Tour } from './demo-tour.ts'
import { messageOf } from './failure.ts'
import { findFreePort } from './ports.ts'
import { readExport } from './receipt-proof.ts'
import { policyLines, startWitness, type Witness, witnessKeys } from './witness/start.ts'

/** The witness of a second organisation: its name, and what a log's policy says of it. */
export const witnessName = 'ordre-professionnel.example/w1'

/** Where it is going to listen, and what the record's policy says of it. */
export async function prepareWitness(
  home: string,
): Promise<{ readonly port: number; readonly policy: string }> {
  const port = await findFreePort(new Set())
  const known = { vkeys: witnessKeys(home, witnessName), url: `http://127.0.0.1:${port}` }
  return { port, policy: `${[...policyLines(witnessName, known), `quorum ${witnessName}`].join('\n')}\n` }
}

export async function witnessLogs(tour: Tour, home: string, port: number): Promise<Witness> {
  tour.step(
    'A second organisation runs a witness: it cosigns what the logs publish, and would see a rewritten log.',
  )
  say(`   npx dossier witness --home … --name ${witnessName} --logs-from ${tour.cluster.url}`)
  const witness = await startWitness({ home, name: witnessName, port, logsFrom: tour.cluster.url })
  await tour.askAs('tremblay', '/fhir/Patient?identifier=nobody')
  const note = await cosignedCheckpoint(tour)
  for (const line of note.split('\n')) say(`     ${line.length > 90 ? `${line.slice(0, 90)}…` : line}`)
  check('the checkpoint of Montréal bears its cosignatures, beside both signatures of the log', true)
  check('it names a size and a root, and nobody', note.split('\n').indexOf('') === 3)
  return witness
}

/** Resolves with the first checkpoint that the witness has cosigned. */
async function cosignedCheckpoint({ cluster }: Tour): Promise<string> {
  for (let left = 200; left > 0; left--) {
    const note = await (await fetch(`${cluster.url}/audit/logs/montreal/checkpoint`)).text()
    if (note.includes(`— ${witnessName} `)) return note
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the witness cosigned nothing')
}

export async function findEverything(tour: Tour, folder: string): Promise<string> {
  tour.step('The privacy officer exports the audit log and finds each of these accesses by its receipt.')
  const file = join(folder, 'audit.ndjson')
  const token = await tour.cluster.token('bouchard')
  say('   bouchard:  GET /audit/export?format=ndjson')
  const target = { url: tour.cluster.url, token: async () => token, language: 'en' } as const
  const { entries, bytes } = await exportAudit(target, {
    filters: new URLSearchParams(),
    format: 'ndjson',
    out: file,
  })
  say(`   → ${entries} entries, ${bytes} bytes`)
  const log = readExport(await readFile(file, 'utf8'))
  let proven = 0
  for (const { what, receipt } of tour.seen) {
    if (receipt === '') throw new Error(`${what} was answered without a receipt`)
    for (const entry of log.prove(receipt)) {
      const { index, time, who, outcome, reason } = entry
      say(`     ${entry.log}/${index}  ${time}  ${who ?? 'unknown'}  ${outcome} (${reason})`)
      proven++
    }
  }
  check(
    `all ${tour.seen.length} accesses are there, refused ones too, each as its receipt says: HMAC of the entry with its salt, RFC 6962 hash of the leaves`,
    proven >= tour.seen.length,
  )
  return file
}

/** Resolves with the policy by which anyone may verify: logs and witness. */
export async function verifyOffline(tour: Tour, file: string, policy: string): Promise<string> {
  tour.step('Anyone who has the file verifies it, offline, against the keys of the logs and the witness.')
  const trusted = `${await logLines(tour)}${policy}`
  await writeFile(join(file, '..', 'policy'), trusted)
  say('   npx dossier audit verify audit.ndjson --policy policy')
  const report = await verifyText(await readFile(file, 'utf8'), trusted)
  if (!report.ok) throw new Error(`${report.code}: ${report.place}: ${report.sentence}`)
  for (const { log, entries, checkpointSize, witnesses } of report.logs)
    say(`     ${log}: ${entries} entries of ${checkpointSize}, cosigned by ${witnesses.join(', ')}`)
  check('every index of both logs is there, unaltered, up to a checkpoint that the witness cosigned', true)
  return trusted
}

/** The logs' lines of a policy, as somebody noted them before. */
async function logLines({ cluster }: Tour): Promise<string> {
  const { logs } = (await (await fetch(`${cluster.url}/audit/logs`)).json()) as {
    logs: { vkey: string; mldsa44Vkey: string }[]
  }
  return logs.map(({ vkey, mldsa44Vkey }) => `log ${vkey}\nlog ${mldsa44Vkey}\n`).join('')
}

export async function proveOne(tour: Tour, policy: string): Promise<void> {
  tour.step('A patient or an officer takes away the proof of one single access.')
  const [log = '', index = ''] = tour.emergency.split(/[/:+]/)
  const answer = await tour.askAs('bouchard', `/audit/proof/${log}/${index}`)
  const lines = answer.body.split('\n')
  say(`     ${lines[0]} … ${lines[2]} … ${lines.length - 4} lines in all`)
  const report = await verifyText(answer.body, policy)
  check('it verifies by itself: the entry, its salt, the hashes up to a signed root', report.ok)
}

export async function tamper(tour: Tour, file: string): Promise<void> {
  tour.step('Somebody changes the log: in the file, and in the database.')
  const text = await readFile(file, 'utf8')
  const lines = text.split('\n')
  const at = lines.findIndex((line) => line.includes('"breakGlassReason":"'))
  const line = lines[at] ?? ''
  await denied(
    'one word of an entry',
    lines.with(at, line.replace('"breakGlassReason":"', '"breakGlassReason":"Non : ')),
  )
  await denied('one entry left out', lines.toSpliced(at, 1))
  await denied('the last ones cut off', lines.slice(0, -5))
  const { url, writeToken } = tour.cluster.databases.audit
  const database = hranaWriter({ url, token: writeToken })
  say('   somebody with the write token of the database:  delete from ledger_body where idx = 3')
  const refusal = await database
    .apply([{ sql: 'delete from ledger_body where idx = 3' }])
    .then(() => '', messageOf)
  say(`   → ${refusal}`)
  check('the database refuses', refusal.includes('append-only'))
}

async function denied(what: string, lines: readonly string[]): Promise<void> {
  const report = await verifyText(lines.join('\n'))
  if (report.ok) throw new Error(`nobody noticed: ${what}`)
  say(`     ${what}:  ${report.code}: ${report.place}: ${report.sentence}`)
  check(`found: ${what}`, report.code !== 'unreadable')
}

function verifyText(text: string, policy?: string): Promise<Report> {
  const file = (async function* () {
    yield new TextEncoder().encode(text)
  })()
  return verify(portableCrypto, policy === undefined ? { file } : { file, policy })
}
