/** A copy of an export in which somebody changed one entry, and what a verifier must say of it. */
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Access } from '../src/audit/port.ts'
import type { ExportFormat } from '../src/trail/export-format.ts'

/** An entry of a log, and what of it is changed. */
export interface Victim {
  readonly log: string
  readonly index: number
  readonly patient: string
}

export type Change = 'outcome' | 'patient'

interface Kind {
  /** How a line of the entry begins, or what only such a line has. */
  readonly isOf: (line: string, victim: Victim) => boolean
  /** What stands there, and what the forger writes. */
  readonly changes: Readonly<Record<Change, (victim: Victim) => readonly [string, string]>>
  /** Where both verifiers find it. @param line number of the line, from 1 */
  readonly place: (change: Change, victim: Victim, line: number) => string
}

const other = (patient: string): string => `${patient}0`

const kinds: Readonly<Record<ExportFormat, Kind>> = {
  ndjson: {
    isOf: (line, { index }) => line.startsWith('{"entry":') && line.includes(`,"index":"${index}","log":`),
    changes: {
      outcome: () => ['"outcome":"permit"', '"outcome":"deny"'],
      patient: ({ patient }) => [`"patient":"${patient}"`, `"patient":"${other(patient)}"`],
    },
    place: (_, { log, index }) => `${log}/${index}`,
  },
  csv: {
    isOf: (line, { log, index }) => line.startsWith(`${log},${index},`),
    changes: {
      outcome: () => [',permit,', ',deny,'],
      patient: ({ patient }) => [`,${patient},`, `,${other(patient)},`],
    },
    place: (change, _, line) => `row ${line} column ${change}`,
  },
  fhir: {
    isOf: (line, { log, index }) => line.includes(`"id":"${log}-${index}"`),
    changes: {
      outcome: () => ['"outcome":"0"', '"outcome":"8"'],
      patient: ({ patient }) => [`"value":"${patient}"`, `"value":"${other(patient)}"`],
    },
    place: (change, _, line) => `line ${line} element ${change}`,
  },
}

/** The first entry from `index` on that permitted something about a patient. @param file NDJSON export */
export async function findVictim(file: string, log: string, index: number): Promise<Victim> {
  for await (const line of linesOf(file)) {
    if (!line.startsWith('{"entry":')) continue
    const { entry } = JSON.parse(line) as {
      readonly entry: { readonly index: string; readonly access: Access }
    }
    const { patient, phase, decision } = entry.access
    const isFit = patient !== null && phase === 'access' && decision.outcome === 'permit'
    if (Number(entry.index) >= index && isFit) return { log, index: Number(entry.index), patient }
  }
  throw new Error(`no entry of ${log} from ${index} on permits something about a patient`)
}

/**
 * Writes the copy. @returns where a verifier finds the change
 * @throws Error where the file does not have what is to be changed
 */
export async function alterFile(
  from: string,
  to: string,
  format: ExportFormat,
  victim: Victim,
  change: Change,
): Promise<string> {
  const kind = kinds[format]
  const [old, forged] = kind.changes[change](victim)
  let changed = 0
  let number = 0
  async function* copy(): AsyncGenerator<string> {
    for await (const line of linesOf(from)) {
      if (changed === 0) number += 1
      if (changed > 0 || !kind.isOf(line, victim) || !line.includes(old)) {
        yield `${line}\n`
        continue
      }
      changed = number
      yield `${line.replace(old, forged)}\n`
    }
  }
  await pipeline(Readable.from(copy()), createWriteStream(to))
  if (changed === 0) throw new Error(`${from} does not say "${old}" of ${victim.log}/${victim.index}`)
  return kind.place(change, victim, changed)
}

/** Line ends become LF, which changes nothing for a verifier. */
const linesOf = (file: string): AsyncIterable<string> =>
  createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
