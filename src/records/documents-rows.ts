/** Planned documents as bound values: JSON arrays of rows, each within what one SQL value may hold. */
import { limits } from '../limits.ts'
import type { PlannedDocument } from './plan-document.ts'

/** What the other database last held of a document; numbering goes on from there. */
export interface Prior {
  readonly version: number
  readonly hash: string
  readonly published: string
  readonly sourceRecord: string
  readonly isCurrent: boolean
}

export const documentKey = ({ type, id }: { readonly type: string; readonly id: string }): string =>
  `${type}/${id}`

/** A row of `stagedColumnNames` (`documents-sql.ts`). */
export function stagedRow(document: PlannedDocument, prior: Prior | null): readonly unknown[] {
  return [
    document.type,
    document.id,
    document.sourceRecord,
    document.domain,
    document.category,
    document.code,
    document.dateLo,
    document.dateHi,
    document.status,
    document.confidentiality,
    document.hash,
    document.mustExist ? 1 : 0,
    prior?.version ?? 0,
    prior?.hash ?? '',
    prior?.published ?? '',
    document.tail,
  ]
}

/** Rows of `lookup`. */
export const lookupRows = (documents: readonly PlannedDocument[]): readonly (readonly string[])[] =>
  documents.flatMap(({ type, id, lookups }) => lookups.map(([param, value]) => [type, param, value, id]))

/** `[type, id]` of each. */
export const idRows = (
  documents: readonly { readonly type: string; readonly id: string }[],
): readonly (readonly string[])[] => documents.map(({ type, id }) => [type, id])

/** JSON arrays of the rows, in order, none longer than `limits.maxWriteValueBytes`; none at all without rows. */
export function chunked(rows: readonly (readonly unknown[])[]): readonly string[] {
  const encoder = new TextEncoder()
  const chunks: string[] = []
  let texts: string[] = []
  let bytes = 2
  for (const row of rows) {
    const text = JSON.stringify(row)
    const size = encoder.encode(text).length + 1
    if (texts.length > 0 && bytes + size > limits.maxWriteValueBytes) {
      chunks.push(`[${texts.join(',')}]`)
      texts = []
      bytes = 2
    }
    texts.push(text)
    bytes += size
  }
  if (texts.length > 0) chunks.push(`[${texts.join(',')}]`)
  return chunks
}
