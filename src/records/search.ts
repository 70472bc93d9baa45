/** `GET /fhir/{Type}?…`: one read batch per database, merged, decided row by row, paged by a sealed cursor. */
import { z } from 'zod'
import type { Presented } from '../access/caller.ts'
import { visible, visibleArgs, visibleLocal, visibleLocalArgs } from '../access/visible.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import type { DateSearch } from '../fhir/date.ts'
import { type Issue, operationOutcome } from '../fhir/outcome.ts'
import { parseSearch, type SearchQuery, type Token } from '../fhir/search.ts'
import { resourceTypes } from '../fhir/types.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { SqlValue, Statement } from '../store/ports.ts'
import { type Cursors, createCursors, type Position } from './cursor.ts'
import { disclosedOf, judge, merge, type PageRow, pageColumns, pageRow } from './page.ts'

const param = z.object({ type: z.string() })
const query = z.record(z.string(), z.union([z.string(), z.array(z.string())]))

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof query>>

export const searchType: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  name: 'search-type',
  method: 'GET',
  path: '/fhir/:type{[A-Z][A-Za-z]*}',
  action: 'search',
  callers: ['provider', 'facility-system'],
  param,
  query,
  handle: search,
}

async function search(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { type } = ctx.param
  if (!resourceTypes.has(type)) return err({ reason: 'no-such-path', path: ctx.url.pathname })
  if (type === 'AuditEvent' || type === 'Consent') return err(notOffered(type))
  // From the address itself: a record of parameters loses names such as `__proto__`.
  const parsed = parseSearch(type, ctx.url.searchParams)
  if (!parsed.ok) return err({ reason: 'invalid', issues: parsed.error })
  const wanted = parsed.value

  const cursors = createCursors(ctx.keys.cursorKey)
  const binding = bindingOf(ctx)
  const after = wanted.cursor === null ? null : await cursors.open(wanted.cursor, binding)
  if (wanted.cursor !== null && after === null) return err(badCursor)

  const loaded = await ctx.load(({ presented, facility }) => ({
    records: pageStatements(type, wanted, after, visible('d'), visibleArgs(presented)),
    local: pageStatements(type, wanted, after, visibleLocal('d'), visibleLocalArgs(facility)),
  }))
  if (!loaded.ok) return loaded
  const { records, local, caller, isLocalMissing } = loaded.value
  const branches = [
    ...records.map((rows) => rows.map((row) => pageRow(row, true))),
    ...local.map((rows) => rows.map((row) => pageRow(row, false))),
  ]
  // Paging follows what was read, releasing follows the policy: a page may be shorter than asked, never skip a row.
  const page = merge(branches, wanted.count)
  const judged = judge(caller, page.rows)
  const disclosed = disclosedOf(judged.rows)
  // Only a look-up by identifier can meet several persons; so many share one only by mistake.
  if (disclosed.length > limits.maxAccessPatients)
    return err({ reason: 'too-costly', of: 'patients', got: disclosed.length, max: limits.maxAccessPatients })
  const last = page.rows.at(-1)
  const next = page.more && last ? await nextLink(ctx, cursors, last, binding) : null
  return ok({
    status: 200,
    contentType: 'application/fhir+json; charset=utf-8',
    body: searchset(ctx, judged.rows, next, isLocalMissing),
    disclosed,
    reason: judged.reason,
    mismatches: judged.mismatches,
  })
}

/**
 * The statements of a page. A single coding is looked for twice: by the index on the first coding, and in the person's
 * partition among second codings; the branches are merged in order.
 */
function pageStatements(
  type: string,
  wanted: SearchQuery,
  after: Position | null,
  filter: string,
  filterArgs: Readonly<Record<string, SqlValue>>,
): readonly Statement[] {
  const args: Record<string, SqlValue> = { ...filterArgs, type, rows: wanted.count + 1 }
  const where: string[] = []
  if (wanted.identifier) {
    Object.assign(args, {
      identifier: `${wanted.identifier.system}|${wanted.identifier.code}`,
      birth_date: wanted.birthDate,
    })
    where.push(
      "d.id in (select l.id from lookup as l where l.type = :type and l.param = 'identifier' and l.value = :identifier)",
      "d.body ->> '$.birthDate' = :birth_date",
    )
  } else {
    args.patient = wanted.patient
    where.push('d.person = (select person from source_record where id = :patient)')
  }
  wanted.category.forEach((tokens, i) => {
    where.push(tokenFilter('category', tokens, `category_${i}`, args))
  })
  wanted.date.forEach((date, i) => {
    where.push(dateFilter(date, `date_${i}`, args))
  })
  if (after) {
    Object.assign(args, { after_date: after.dateLo, after_id: after.id })
    where.push('d.date_lo <= :after_date and (d.date_lo < :after_date or d.id > :after_id)')
  }
  const page = (conditions: readonly string[]): Statement => ({
    sql: `select ${pageColumns} from document as d
where d.type = :type and ${[...where, ...conditions].join('\n  and ')}
  and ${filter}
order by d.date_lo desc, d.id limit :rows`,
    args,
  })
  const [single, ...others] = wanted.code
  const exact = single?.length === 1 && others.length === 0 ? single[0] : undefined
  if (exact?.system && exact.code !== null) {
    args.code = `${exact.system}|${exact.code}`
    return [page(['d.code = :code']), page([`d.code <> :code and ${inLookup('code', 'l.value = :code')}`])]
  }
  return [page(wanted.code.map((tokens, i) => tokenFilter('code', tokens, `code_${i}`, args)))]
}

const inLookup = (name: 'category' | 'code', condition: string): string =>
  `exists (select 1 from lookup as l where l.type = d.type and l.id = d.id and l.param = '${name}' and ${condition})`

/** A disjunction of tokens over first coding (column) and further codings (lookup), as one bound JSON list per form. */
function tokenFilter(
  name: 'category' | 'code',
  tokens: readonly Token[],
  prefix: string,
  args: Record<string, SqlValue>,
): string {
  const forms: string[] = []
  const form = (suffix: string, values: readonly string[], of: (value: string) => string) => {
    if (values.length === 0) return
    args[`${prefix}_${suffix}`] = JSON.stringify(values)
    const listed = `(select value from json_each(:${prefix}_${suffix}))`
    forms.push(`${of(`d.${name}`)} in ${listed}`, inLookup(name, `${of('l.value')} in ${listed}`))
  }
  form(
    'exact',
    tokens.filter((t) => t.system !== null && t.code !== null).map((t) => `${t.system}|${t.code}`),
    (value) => value,
  )
  form(
    'code',
    tokens.filter((t) => t.system === null).map((t) => t.code ?? ''),
    codeOf,
  )
  form(
    'system',
    tokens.filter((t) => t.code === null).map((t) => t.system ?? ''),
    systemOf,
  )
  return `(${forms.join('\n    or ')})`
}

const codeOf = (value: string): string => `substr(${value}, instr(${value}, '|') + 1)`
const systemOf = (value: string): string => `substr(${value}, 1, instr(${value}, '|') - 1)`

/** R4 §3.1.1.4.6: the searched range against the range of the document, both as UTC text. */
function dateFilter({ prefix, lo, hi }: DateSearch, name: string, args: Record<string, SqlValue>): string {
  const bind = (text: string, side: 'lo' | 'hi'): string => {
    args[`${name}_${side}`] = text
    return `:${name}_${side}`
  }
  switch (prefix) {
    case 'eq':
      return `d.date_lo >= ${bind(lo, 'lo')} and d.date_hi <= ${bind(hi, 'hi')} and d.date_lo <> ''`
    case 'ne':
      return `(d.date_lo < ${bind(lo, 'lo')} or d.date_hi > ${bind(hi, 'hi')}) and d.date_lo <> ''`
    case 'gt':
      return `d.date_hi > ${bind(hi, 'hi')}`
    case 'ge':
      return `d.date_hi >= ${bind(lo, 'lo')}`
    case 'lt':
      return `d.date_lo < ${bind(lo, 'lo')} and d.date_lo <> ''`
    case 'le':
      return `d.date_lo <= ${bind(hi, 'hi')} and d.date_lo <> ''`
    case 'sa':
      return `d.date_lo > ${bind(hi, 'hi')}`
    case 'eb':
      return `d.date_hi < ${bind(lo, 'lo')} and d.date_lo <> ''`
    case 'ap':
      return `d.date_lo <= ${bind(hi, 'hi')} and d.date_hi >= ${bind(lo, 'lo')} and d.date_lo <> ''`
  }
}

/** Caller and question, without the cursor itself. */
function bindingOf({ presented, url }: { readonly presented: Presented; readonly url: URL }): string {
  const question = new URLSearchParams(url.search)
  question.delete('_cursor')
  question.sort()
  const { issuer, subject, clientId, role, facilityUri } = presented
  return JSON.stringify([issuer, subject, clientId, role, facilityUri, url.pathname, question.toString()])
}

async function nextLink(ctx: Context, cursors: Cursors, last: PageRow, binding: string): Promise<string> {
  const url = new URL(ctx.url)
  url.searchParams.set('_cursor', await cursors.seal({ dateLo: last.dateLo, id: last.id }, binding))
  return url.href
}

/** Stored text put together, never parsed. */
function searchset(
  { origin, url, language }: Context,
  rows: readonly PageRow[],
  next: string | null,
  isLocalMissing: boolean,
): string {
  const links = [{ relation: 'self', url: url.href }, ...(next ? [{ relation: 'next', url: next }] : [])]
  const entries = rows.map(
    ({ type, id, body }) =>
      `{"fullUrl":"${origin}/fhir/${type}/${id}","resource":${body},"search":{"mode":"match"}}`,
  )
  // Said in the page itself: a clinician must not take what is missing for what is not there.
  if (isLocalMissing)
    entries.unshift(
      `{"resource":${JSON.stringify(operationOutcome([localMissing], language, 'warning'))},"search":{"mode":"outcome"}}`,
    )
  const entry = entries.length > 0 ? `,"entry":[${entries.join(',')}]` : ''
  return `{"resourceType":"Bundle","type":"searchset","link":${JSON.stringify(links)}${entry}}`
}

const localMissing: Issue = {
  code: 'incomplete',
  text: {
    fr: 'Les documents non partagés de votre établissement n’ont pu être lus : la liste est incomplète.',
    en: 'The unshared documents of your facility could not be read: this list is incomplete.',
  },
}

const badCursor: Refusal = {
  reason: 'invalid',
  issues: [
    {
      code: 'value',
      expression: '_cursor',
      text: {
        fr: 'Ce curseur n’est pas de cette recherche : reprenez à la première page.',
        en: 'This cursor is not of this search: start again from its first page.',
      },
    },
  ],
}

/** What facilities publish of these types never feeds the log view or the register. */
const notOffered = (type: string): Refusal => ({
  reason: 'invalid',
  issues: [
    {
      code: 'not-supported',
      text: {
        fr: `La recherche de ${type} n’est pas encore offerte.`,
        en: `Searching ${type} is not offered yet.`,
      },
    },
  ],
})
