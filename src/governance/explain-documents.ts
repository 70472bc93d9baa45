/** The documents of a past access, as they were: versions are kept. Unshared ones are not in *records* and stay unjudged. */
import { firstPublishedColumn } from '../access/first-published.ts'
import type { DecidedRow } from '../access/policy.ts'
import { codingsOf } from '../records/page.ts'
import type { Rows, Statement } from '../store/ports.ts'
import type { Past } from './explain-facts.ts'

export interface DocumentThen {
  /** `Type/id/_history/version`. */
  readonly reference: string
  readonly row: DecidedRow
}

/** What was disclosed names its versions; what was withheld is the document asked for, in the version of that time. */
export function documentsThen({ access, version }: Past): Statement {
  const columns = `d.type, d.id, d.version, d.source_record, d.facility, d.domain, d.confidentiality, d.date_lo, d.body,
      ${firstPublishedColumn('d', 'v.clock <= :as_of')}`
  return {
    sql: `with named as materialized (
      select value ->> 0 as type, value ->> 1 as id, value ->> 2 as version from json_each(:named))
    select ${columns} from named as n cross join document as d on d.type = n.type and d.id = n.id
      where coalesce(n.version, d.version) = d.version and d.clock <= :as_of
    union all
    select ${columns} from named as n cross join document_version as d on d.type = n.type and d.id = n.id
      where d.deleted = 0 and d.version = coalesce(n.version, (
        select max(v.version) from document_version as v where v.type = n.type and v.id = n.id and v.clock <= :as_of))
        and (n.version is not null or not exists (
          select 1 from document as c where c.type = n.type and c.id = n.id and c.clock <= :as_of))`,
    args: { named: JSON.stringify(namedBy(access)), as_of: version },
  }
}

function namedBy({
  resources,
  decision: { outcome, detail },
}: Past['access']): readonly (string | number | null)[][] {
  const named = resources.map((reference) => {
    const [type = '', id = '', , version] = reference.split('/')
    return [type, id, Number(version)]
  })
  const [, type, id] = /^([A-Z][A-Za-z]*)\/([A-Za-z0-9.-]{1,64})$/.exec(detail ?? '') ?? []
  return outcome === 'deny' && type !== undefined && id !== undefined ? [...named, [type, id, null]] : named
}

export const readDocuments = (rows: Rows): readonly DocumentThen[] =>
  rows.map((row) => ({
    reference: `${row.type}/${row.id}/_history/${row.version}`,
    row: {
      type: String(row.type),
      id: String(row.id),
      domain: String(row.domain),
      facility: String(row.facility),
      sourceRecord: String(row.source_record),
      confidentiality: String(row.confidentiality),
      dateLo: String(row.date_lo),
      firstPublished: String(row.first_published),
      shared: true,
      codings: codingsOf({ type: String(row.type), body: String(row.body) }),
    },
  }))
