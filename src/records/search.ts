/** `GET /fhir/{Type}?…`: one read batch per database, merged, decided row by row, paged by a sealed cursor. */
import { z } from 'zod'
import type { Presented } from '../access/caller.ts'
import { visible, visibleArgs, visibleLocal, visibleLocalArgs } from '../access/visible.ts'
import type { Disclosure, Loaded, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { type Issue, operationOutcome } from '../fhir/outcome.ts'
import { parseSearch, type SearchQuery } from '../fhir/search.ts'
import { resourceTypes } from '../fhir/types.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { type Cursors, createCursors } from './cursor.ts'
import { disclosedOf, judge, merge, type Page, type PageRow, pageRow } from './page.ts'
import { type Bound, eachRow, pageStatements, runningSum } from './search-sql.ts'

const param = z.object({ type: z.string() })
const query = z.record(z.string(), z.union([z.string(), z.array(z.string())]))

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof query>>

export const searchType: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  name: 'search-type',
  method: 'GET',
  path: '/fhir/:type{[A-Z][A-Za-z]*}',
  action: 'search',
  callers: ['provider', 'facility-system'],
  scope: ({ type }) => ({ type, interaction: 's' }),
  rate: ({ type }) => (type === 'Patient' ? 'identity' : 'general'),
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

  const load = (bound: Bound) =>
    ctx.load(({ presented, facility }) => ({
      records: pageStatements(type, wanted, after, bound, visible('d'), visibleArgs(presented)),
      local: pageStatements(type, wanted, after, bound, visibleLocal('d'), visibleLocalArgs(facility)),
    }))
  let loaded = await load(eachRow)
  if (!loaded.ok) return loaded
  let page = pageOf(loaded.value, wanted)
  if (page.isCut) {
    loaded = await load(runningSum)
    if (!loaded.ok) return loaded
    page = pageOf(loaded.value, wanted)
    // The first row of a statement has its body; only one that a document just left for another can begin without.
    if (page.isCut && page.rows.length === 0)
      return err({ reason: 'store-unavailable', detail: 'a document is moving between the databases' })
  }
  const { caller, isLocalMissing } = loaded.value
  // Paging follows what was read, releasing follows the policy: a page may be shorter than asked, never skip a row.
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

const pageOf = ({ records, local }: Loaded, { count }: SearchQuery): Page =>
  merge(
    [
      ...records.map((rows) => rows.map((row) => pageRow(row, true))),
      ...local.map((rows) => rows.map((row) => pageRow(row, false))),
    ],
    count,
  )

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
