/** The files an export may be: NDJSON, which is evidence, and CSV, which is for reading. */
import { base64url } from '../audit/base64url.ts'
import { csvColumns, csvFields, type ToldEntry } from '../audit/csv-columns.ts'

/** Names the layout of the NDJSON file. */
export const formatId = 'dossier-export/0'

/** One ledger row. */
export interface ExportRow {
  /** Canonical text, as the leaf commits to it. */
  readonly entry: string
  readonly leaf: Uint8Array
  readonly salt: Uint8Array
}

export interface ExportedLog {
  readonly log: string
  /** Entries in the log when the export began, decimal. */
  readonly size: string
  /** The part searched: indices from `first` up to and without `end`, decimal. */
  readonly first: string
  readonly end: string
  /** False: the log itself could not be asked; `size` is what the ledger held. */
  readonly current: boolean
}

export interface ExportHeader {
  readonly exportId: string
  /** When the export began: ISO 8601, UTC. */
  readonly time: string
  /** `range`: every entry of the parts named in `logs`. `none`: only those that match the filters. */
  readonly completeness: 'range' | 'none'
  readonly filters: Readonly<Record<string, string>>
  readonly logs: readonly ExportedLog[]
}

export const ndjsonHeader = (header: ExportHeader): string =>
  `${JSON.stringify({ format: formatId, ...header })}\n`

/** The entry goes out as it is stored: parsed and written again it might not be what the leaf commits to. */
export const ndjsonLine = ({ entry, leaf, salt }: ExportRow): string =>
  `{"entry":${entry},"leaf":"${base64url(leaf)}","salt":"${base64url(salt)}"}\n`

export const csvHeader = (): string => csvRecord(csvColumns)

export const csvLine = ({ entry, leaf }: ExportRow): string =>
  csvRecord(csvFields(JSON.parse(entry) as ToldEntry, base64url(leaf)))

/** RFC 4180. */
const csvRecord = (fields: readonly string[]): string => `${fields.map(csvField).join(',')}\r\n`

const csvField = (text: string): string => (/[";,\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
