/** A `Bundle` of type `history` (R4 §3.1.0.13): stored text put together, never parsed. */
import { etagOf } from '../fhir/not-modified.ts'
import type { PageRow } from './page.ts'

export type HistoryRow = Pick<PageRow, 'type' | 'id' | 'version' | 'published' | 'body'> & {
  readonly isDeletion: boolean
}

/** @param next cursor of the page that follows; null: there is none */
export function historyBundle(
  { origin, url }: { readonly origin: string; readonly url: URL },
  rows: readonly HistoryRow[],
  next: string | null,
): string {
  const links = [{ relation: 'self', url: url.href }]
  if (next !== null) {
    const following = new URL(url)
    following.searchParams.set('_cursor', next)
    links.push({ relation: 'next', url: following.href })
  }
  const entry = rows.length > 0 ? `,"entry":[${rows.map((row) => entryOf(origin, row)).join(',')}]` : ''
  return `{"resourceType":"Bundle","type":"history","link":${JSON.stringify(links)}${entry}}`
}

function entryOf(origin: string, row: HistoryRow): string {
  const { type, id } = row
  const resource = row.isDeletion ? '' : `"resource":${row.body},`
  const request = row.isDeletion
    ? { method: 'DELETE', url: `${type}/${id}` }
    : row.version === 1
      ? { method: 'POST', url: type }
      : { method: 'PUT', url: `${type}/${id}` }
  const status = { DELETE: '204', POST: '201', PUT: '200' }[request.method]
  const response = { status, etag: etagOf(row), lastModified: row.published }
  return `{"fullUrl":"${origin}/fhir/${type}/${id}",${resource}"request":${JSON.stringify(request)},"response":${JSON.stringify(response)}}`
}
