/**
 * When a document without a date of service came to be known, as SQL. A refusal before a date goes by it: by the current
 * version's publication, a document published again would reappear although it was refused.
 */

/** Of its first version that its database knows, for a row `d` of `document`; `holds`: narrows the versions `v`. */
export const firstPublished = (d: string, holds = 'true'): string =>
  `coalesce((select v.published from document_version as v
    where v.type = ${d}.type and v.id = ${d}.id and ${holds} order by v.version limit 1), ${d}.published)`

/** The same where it decides; a dated row, which pays no look-up, has its own publication. */
export const firstPublishedColumn = (d: string, holds?: string): string =>
  `iif(${d}.date_lo = '', ${firstPublished(d, holds)}, ${d}.published) as first_published`
