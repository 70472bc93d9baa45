/**
 * `GET /audit/accounting`: who opened what at one organisation, and who elsewhere opened what of its patients, counted over a
 * period. For privacy officers.
 */
import * as z from 'zod'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { texts } from '../store/rows.ts'
import { type AccountLine, accountLines, type KnownPersons } from './accounting-lines.ts'
import { type Columns, countAnswer, namedCounts } from './count-file.ts'
import { countedParts } from './counted-parts.ts'
import { instant, utc } from './instant.ts'
import {
  facilitiesStatement,
  knownPersonsStatement,
  organisationStatement,
  rememberingPersons,
} from './known-persons.ts'
import { type NoParam, officerRead } from './officer-read.ts'
import { ownOrganisation } from './own-organisation.ts'

const query = z
  .strictObject({
    /** Absent: the officer's own. */
    organisation: z.string().min(1).max(limits.maxEntryTextBytes).optional(),
    /** The period: at or after `from`, before `to`. */
    from: instant,
    to: instant,
    /** A line for each professional and patient too: then it names patients, and each is in the log. */
    detail: z.literal('patients').optional(),
    format: z.enum(['json', 'csv']).default('json'),
  })
  .refine(({ from, to }) => utc(from) <= utc(to), { path: ['to'], message: 'before `from`' })

type Query = z.infer<typeof query>
type Context = OperationContext<NoParam, Query>

/** Names the layout of the JSON file: `docs/trail.md`. */
const formatId = 'dossier-accounting/1'

export const accounting: Operation<NoParam, Query> = {
  ...officerRead,
  name: 'accounting',
  path: '/audit/accounting',
  query,
  mediaTypes: ['application/json', 'text/csv'],
  handle,
}

async function handle(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const whose = ownOrganisation(permitted.value.caller, ctx.query.organisation)
  if (!whose.ok) return whose
  const organisation = whose.value
  if (organisation === null) return err(organisationRequired)
  const loaded = await ctx.load(() => ({
    records: [organisationStatement(organisation), facilitiesStatement(organisation)],
  }))
  if (!loaded.ok) return loaded
  const [found = [], facilities] = loaded.value.records
  if (found.length === 0) return err({ reason: 'not-found', what: `organisation ${organisation}` })
  const { format, detail } = ctx.query
  const period = { from: utc(ctx.query.from), to: utc(ctx.query.to) }
  const parts = await countedParts(ctx, period)
  if (!parts.ok) return parts
  const id = crypto.randomUUID()
  const asked = { organisation, ...period, ...(detail === undefined ? {} : { detail }) }
  const pages = accountLines({
    ledger: ctx.ledger,
    parts: parts.value,
    organisation,
    knownPersons: knownPersonsOf(ctx, texts(facilities, 'id')),
    isDetailed: detail !== undefined,
  })
  const header = { format: formatId, time: new Date(ctx.now).toISOString(), ...asked }
  const file = { header, parts: parts.value, columns, pages }
  return ok(countAnswer(format, file, { id, name: `accounting-${id.slice(0, 8)}`, note: asked }))
}

/** Each question is a load of its own: an officer whose office ends while the count goes on gets no further. */
const knownPersonsOf = (ctx: Context, facilities: readonly string[]): KnownPersons =>
  rememberingPersons(async (persons) => {
    const loaded = await ctx.load(() => ({ records: [knownPersonsStatement(persons, facilities)] }))
    if (!loaded.ok) throw new Error(`this count may not go on: ${loaded.error.reason}`)
    return texts(loaded.value.records[0], 'person')
  })

const organisationRequired: Refusal = {
  reason: 'invalid',
  issues: [
    {
      code: 'required',
      expression: 'organisation',
      text: {
        fr: 'Nommez l’organisation dont les accès sont comptés.',
        en: 'Name the organisation whose accesses are counted.',
      },
    },
  ],
}

const columns: Columns<AccountLine> = [
  ['section', ({ section }) => section],
  ['organisation', ({ organisation }) => organisation],
  ['professional', ({ professional }) => professional],
  ['name', ({ name }) => name],
  ['role', ({ role }) => role],
  ['facility', ({ facility }) => facility],
  ['patient', ({ patient }) => patient],
  ['accesses', ({ accesses }) => accesses],
  ['patients', ({ patients }) => patients],
  ['permits', ({ permits }) => permits],
  ['denies', ({ denies }) => denies],
  ['errors', ({ errors }) => errors],
  ['emergencies', ({ emergencies }) => emergencies],
  ['attestations', ({ attestations }) => attestations],
  ['actions', ({ actions }) => namedCounts(actions)],
  ['purposes', ({ purposes }) => namedCounts(purposes)],
]
