/** The first line of an NDJSON export: its members, and whether they contradict each other. */
import { err, ok, type Result } from '../../result.ts'
import { FormatError } from '../tlog/errors.ts'
import { type Note, parseNote } from '../tlog/note.ts'
import { isDecimal, isDecimalLess } from './decimal.ts'
import { isLogName, isObject } from './entry-frame.ts'
import { readHashes } from './line.ts'
import { type Finding, finding } from './report.ts'
import { parseSignedCheckpoint, type SignedCheckpoint, sentenceOf, withName } from './signed-text.ts'
import { parseSignedHead, type SignedHead } from './statements.ts'
import { parseJson } from './strict-json.ts'

export type Completeness = 'range' | 'patient-chain' | 'organisation-chain' | 'none'

export interface HeaderLog {
  readonly log: string
  readonly origin: string
  /** Verifier keys, as texts. */
  readonly keys: readonly string[]
  /** Decimal, like `first` and `end`. */
  readonly size: string
  readonly first: string
  readonly end: string
  readonly current: boolean
  readonly checkpoint: SignedCheckpoint | null
  readonly before: readonly Uint8Array[]
  readonly after: readonly Uint8Array[]
  /** Of a chain export, one for each key in the order of the header; else none. */
  readonly heads: readonly SignedHead[]
  readonly known: { readonly size: string; readonly proof: readonly Uint8Array[] } | null
}

export interface Header {
  readonly completeness: Completeness
  readonly logs: readonly HeaderLog[]
  /** The chains that the export promises, each key once; null: none. */
  readonly chains: { readonly kind: 'organisation' | 'patient'; readonly keys: readonly string[] } | null
  readonly list: Note | null
}

const formatId = 'dossier-export/1'

/** @param place `line <n>` of the header */
export function readHeader(text: string, place: string): Result<Header, Finding> {
  const value = parseJson(text)
  if (!isObject(value) || value.format !== formatId)
    return err(finding('format', 'file', `It is no file of the format ${formatId}.`))
  try {
    return ok(readMembers(value))
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return err(finding('format', place, sentenceOf(error)))
  }
}

type Members = Readonly<Record<string, unknown>>

function readMembers(value: Members): Header {
  const { completeness, filters, logs, list } = value
  if (typeof value.exportId !== 'string') throw new FormatError('The header has no export id.')
  if (typeof value.time !== 'string') throw new FormatError('The header has no time.')
  if (!isCompleteness(completeness))
    throw new FormatError('The header promises no completeness that is known.')
  if (!isObject(filters)) throw new FormatError('The header has no filters.')
  if (!Array.isArray(logs) || logs.length === 0) throw new FormatError('The header names no logs.')
  return {
    completeness,
    chains: readChains(completeness, filters, value.chains),
    logs: logs.map(readLog),
    list: readSigned(list, 'the list of logs', (text, what) => withName(what, () => parseNote(text))),
  }
}

const isCompleteness = (value: unknown): value is Completeness =>
  ['range', 'patient-chain', 'organisation-chain', 'none'].includes(value as string)

function readChains(completeness: Completeness, filters: Members, keys: unknown): Header['chains'] {
  if (!isTexts(keys)) throw new FormatError('The header does not say which chains it covers.')
  if (completeness === 'range' || completeness === 'none') {
    if (keys.length > 0) throw new FormatError('Only an export of a chain covers one.')
    return null
  }
  const kind = completeness === 'patient-chain' ? 'patient' : 'organisation'
  const key = filters[kind]
  if (typeof key !== 'string') throw new FormatError(`The header does not say of which ${kind} the chain is.`)
  if (!keys.includes(key))
    throw new FormatError(`The header does not cover the chain of the ${kind} asked for.`)
  if (new Set(keys).size < keys.length) throw new FormatError('The header covers a chain twice.')
  if (kind === 'organisation' && keys.length > 1)
    throw new FormatError('An organisation has one chain, and the header covers more.')
  return { kind, keys }
}

function readLog(value: unknown): HeaderLog {
  if (!isObject(value)) throw new FormatError('A log of the header is no object.')
  const { log, origin, keys, size, first, end, current, known } = value
  if (typeof log !== 'string' || !isLogName(log)) throw new FormatError('A log of the header has no name.')
  const fail = (what: string): FormatError => new FormatError(`The header has no ${what} of the log ${log}.`)
  if (typeof origin !== 'string') throw fail('origin')
  if (!isTexts(keys)) throw fail('list of keys')
  if (!isDecimal(size) || !isDecimal(first) || !isDecimal(end)) throw fail('size, first and end')
  if (typeof current !== 'boolean') throw fail('word whether it is current')
  const before = readHashes(value.before)
  const after = readHashes(value.after)
  if (before === null || after === null) throw fail('hashes before and after the part')
  return {
    log,
    origin,
    keys,
    size,
    first,
    end,
    current,
    checkpoint: readSigned(value.checkpoint, `the checkpoint of ${log}`, parseSignedCheckpoint),
    before,
    after,
    heads: readHeads(value.heads, log, fail),
    known: readKnown(known, fail),
  }
}

function readHeads(value: unknown, log: string, fail: (what: string) => FormatError): readonly SignedHead[] {
  if (!isTexts(value)) throw fail('list of heads')
  return value.map((text) => parseSignedHead(text, `the head of a chain in ${log}`))
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string')

function readKnown(value: unknown, fail: (what: string) => FormatError): HeaderLog['known'] {
  if (value === null) return null
  if (!isObject(value) || !isDecimal(value.size)) throw fail('known size, nor null in its place,')
  const proof = readHashes(value.proof)
  if (proof === null) throw fail('proof from the known size')
  return { size: value.size, proof }
}

function readSigned<T>(value: unknown, what: string, parse: (text: string, what: string) => T): T | null {
  if (value === null) return null
  if (typeof value !== 'string') throw new FormatError(`The header has not ${what}, nor null in its place.`)
  return parse(value, what)
}

/** The first contradiction within the header, log by log. */
export function contradictionOf({ chains, logs }: Header): Finding | null {
  const names = new Set<string>()
  for (const log of logs) {
    if (names.has(log.log)) return finding('header', log.log, 'The header names this log twice.')
    names.add(log.log)
    const why = logContradiction(log, chains)
    if (why !== null) return finding('header', log.log, why)
  }
  return null
}

function logContradiction(log: HeaderLog, chains: Header['chains']): string | null {
  const { size, first, end, checkpoint, heads } = log
  if (isDecimalLess(end, first)) return `The part begins at ${first} and ends before that, at ${end}.`
  if (isDecimalLess(size, end)) return `The part ends at ${end}, past the ${size} entries of the log.`
  if (size === '0' && checkpoint !== null) return 'The log is empty and has a checkpoint.'
  if (size !== '0' && checkpoint === null) return `The log has ${size} entries and no checkpoint.`
  const misnamed = nameContradiction(log)
  if (misnamed !== null) return misnamed
  if (chains === null && heads.length > 0) return 'Only an export of a chain has the head of one.'
  if (chains !== null && heads.length !== chains.keys.length)
    return `There are ${heads.length} heads for ${chains.keys.length} chains.`
  return chains !== null && (first !== '0' || end !== size)
    ? `A chain is of the whole log, not of the entries from ${first} to ${end}.`
    : null
}

/** A log's origin ends in its name. */
export const nameContradiction = ({
  log,
  origin,
}: {
  readonly log: string
  readonly origin: string
}): string | null =>
  nameOfOrigin(origin) === log ? null : `The origin ${origin} does not end in /audit/logs/${log}.`

/** The name of the log with this origin; null: it is no origin of a log of a record. */
export function nameOfOrigin(origin: string): string | null {
  const name = /^[^\s+]+\/audit\/logs\/([^/]+)$/.exec(origin)?.[1]
  return name !== undefined && isLogName(name) ? name : null
}
