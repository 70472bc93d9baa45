/**
 * What a search must know before its page can be asked for: the person, where it names one by an identifier or an encounter,
 * and what its chains come to. Most searches need neither, and cost nothing here.
 */
import { type Basis, decideSubject } from '../access/policy.ts'
import { grantsFor, scopeFilter } from '../access/scope.ts'
import type { SubjectOf } from '../access/subject.ts'
import { visible, visibleArgs, visibleLocal, visibleLocalArgs } from '../access/visible.ts'
import type { Asker, Loaded, OperationContext, Page } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import type { PersonNamed, SearchQuery } from '../fhir/search.ts'
import type { LinkFilter, OwnFilter } from '../fhir/search-filters.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Rows, SqlValue, Statement } from '../store/ports.ts'
import { judge, pageRow, rowColumns } from './page.ts'
import { isAboutPersons, isConditional, linkedFilter, linkStatement } from './search-links.ts'
import { onePerson } from './search-sql.ts'

/** What every step of a search needs of its request. */
export type SearchContext = OperationContext<{ readonly type: string }, unknown>

/** The person whose documents are looked at. */
export interface PersonSought {
  /** SQL expression for its id, and what that binds. */
  readonly expression: string
  readonly args: Readonly<Record<string, SqlValue>>
  readonly subject: SubjectOf
}

export interface Resolved {
  /** Null: none is named. */
  readonly person: PersonSought | null
  /** Without chains. */
  readonly filters: readonly OwnFilter[]
}

/** Whether the caller may ask about this patient; of a provider, why he may. */
export function admit(
  { caller, subjects, settings }: Loaded,
  { named }: Pick<SearchQuery, 'named'>,
): Result<Basis | null, Refusal> {
  if (caller.kind !== 'provider' || named.by !== 'person') return ok(null)
  // Several persons of one identifier: nobody can say who is meant.
  const subject = subjects.length === 1 ? (subjects[0] ?? null) : null
  const decision = decideSubject(caller, subject, settings)
  if (decision.outcome === 'permit') return ok(decision.basis)
  return err({
    reason: 'forbidden',
    cause: decision.reason,
    ...(subject ? { patient: subject.person } : {}),
  })
}

export async function resolveSearch(
  ctx: SearchContext,
  wanted: SearchQuery,
): Promise<Result<Resolved, Refusal>> {
  const person = await resolvePerson(ctx, wanted)
  if (!person.ok) return person
  const own = wanted.filters.filter((one): one is OwnFilter => one.kind === 'match' || one.kind === 'missing')
  const links = wanted.filters.filter((one): one is LinkFilter => one.kind === 'chain' || one.kind === 'has')
  if (links.length === 0) return ok({ person: person.value, filters: own })
  const linked = await resolveLinks(ctx, wanted, person.value, links)
  return linked.ok ? ok({ person: person.value, filters: [...own, ...linked.value] }) : linked
}

const byServerId = (id: string): PersonSought => ({
  expression: onePerson,
  args: { patient: id },
  subject: { by: 'patient', id },
})

async function resolvePerson(
  ctx: SearchContext,
  wanted: SearchQuery,
): Promise<Result<PersonSought | null, Refusal>> {
  const { named } = wanted
  if (named.by !== 'person') return ok(null)
  if (named.person.by === 'patient') return ok(byServerId(named.person.id))
  const { person } = named
  const loaded = await ctx.load((asker) => subjectPage(ctx, person, asker))
  if (!loaded.ok) return loaded
  // An encounter that the caller may not read names nobody: it looks like one that there is not.
  const subjects = person.by === 'identifier' || seesEncounter(ctx, loaded.value) ? loaded.value.subjects : []
  const admitted = admit({ ...loaded.value, subjects }, wanted)
  if (!admitted.ok) return admitted
  const [subject, ...others] = subjects
  // Of a facility's own system nobody is refused; of nobody there are no documents.
  const id = subject && others.length === 0 ? subject.person : ''
  return ok({
    expression: "nullif(:person, '')",
    args: { person: id },
    subject: { by: 'person', person: id },
  })
}

function subjectPage(
  ctx: SearchContext,
  named: Exclude<PersonNamed, { readonly by: 'patient' }>,
  asker: Asker,
): Page {
  if (named.by === 'identifier')
    return { subject: { by: 'identifier', system: named.system, value: named.value, birthDate: null } }
  const { id } = named
  const encounter = (filter: string, filterArgs: Readonly<Record<string, SqlValue>>): Statement => {
    const args: Record<string, SqlValue> = { ...filterArgs, id }
    return {
      sql: `select ${rowColumns('d')}, body from document as d
where d.type = 'Encounter' and d.id = :id and ${filter} and ${narrowed(ctx, asker, 'Encounter', args)}`,
      args,
    }
  }
  return {
    records: [encounter(visible('d', asker), visibleArgs(asker))],
    local: [encounter(visibleLocal('d'), visibleLocalArgs(asker.facility))],
    subject: (local) => ({
      by: 'document',
      type: 'Encounter',
      id,
      sourceRecord: String(local[0]?.[0]?.source_record ?? ''),
    }),
  }
}

/** Whether the policy lets the caller find one of the rows that were loaded for an encounter. */
function seesEncounter({ scopes }: SearchContext, loaded: Loaded): boolean {
  const { caller, records, local } = loaded
  const grants = grantsFor(scopes, caller.kind, { type: 'Encounter', interaction: 's' })
  const rows = [
    ...(records[0] ?? []).map((row) => pageRow(row, true)),
    ...(local[0] ?? []).map((row) => pageRow(row, false)),
  ]
  return judge(caller, { ...loaded, grants }, rows).rows.length > 0
}

/** All chains in one batch: one statement per type each may lead to, in both databases. */
async function resolveLinks(
  ctx: SearchContext,
  wanted: SearchQuery,
  person: PersonSought | null,
  links: readonly LinkFilter[],
): Promise<Result<readonly OwnFilter[], Refusal>> {
  const { type } = ctx.param
  // A `Patient` named by its id is the person of its own chains.
  const own = person ?? (type === 'Patient' ? patientNamed(wanted) : null)
  const asked = links.flatMap((link) => link.types.map((other) => ({ link, other })))
  if (own === null && asked.some(({ other }) => isAboutPersons(other))) return err(chainWithoutPerson)
  const bytesFor = ({ sight }: Asker, other: string): number | null => {
    const grants = grantsFor(ctx.scopes, sight?.kind ?? 'provider', { type: other, interaction: 's' })
    return isConditional({ grants }) ? Math.floor(limits.maxPageBytes / asked.length) : null
  }
  const statements = (asker: Asker, isLocal: boolean) =>
    asked.map(({ link, other }) =>
      linkStatement(
        link,
        other,
        own?.expression ?? null,
        (scope) => {
          const filter = isLocal ? visibleLocal('d') : visible('d', asker, own?.expression)
          return `${filter} and ${narrowed(ctx, asker, other, scope.args)}`
        },
        { ...own?.args, ...(isLocal ? visibleLocalArgs(asker.facility) : visibleArgs(asker)) },
        bytesFor(asker, other),
      ),
    )
  const loaded = await ctx.load((asker) => ({
    ...(own ? { subject: own.subject } : {}),
    records: statements(asker, false),
    local: statements(asker, true),
  }))
  if (!loaded.ok) return loaded
  const admitted = admit(loaded.value, wanted)
  if (!admitted.ok) return admitted
  const { caller, records, local } = loaded.value
  const situationOf = (of: string) => ({
    ...loaded.value,
    grants: grantsFor(ctx.scopes, caller.kind, { type: of, interaction: 's' } as const),
  })
  const filters: OwnFilter[] = []
  for (const link of links) {
    const rowsOf = (all: readonly Rows[]): Rows =>
      asked.flatMap((one, i) => (one.link === link ? (all[i] ?? []) : []))
    const linked = linkedFilter(
      link,
      type,
      { shared: rowsOf(records), local: rowsOf(local) },
      caller,
      situationOf,
    )
    if ('tooMany' in linked)
      return err({ reason: 'too-costly', of: 'linked', got: linked.tooMany + 1, max: linked.tooMany })
    if (linked.filter) filters.push(linked.filter)
  }
  return ok(filters)
}

/** By what the token's scopes allow of the type. */
export function narrowed(
  { scopes }: SearchContext,
  { sight, presented }: Asker,
  type: string,
  args: Record<string, SqlValue>,
  interaction: 'r' | 's' = 's',
): string {
  const grants = grantsFor(scopes, sight?.kind ?? 'provider', { type, interaction })
  return scopeFilter(grants, 'd', args, presented.patient)
}

function patientNamed({ named }: SearchQuery): PersonSought | null {
  const [id, ...others] = named.by === 'ids' ? named.ids : []
  return id !== undefined && others.length === 0 ? byServerId(id) : null
}

const chainWithoutPerson: Refusal = {
  reason: 'invalid',
  issues: [
    {
      code: 'required',
      expression: 'patient',
      text: {
        fr: 'Une chaîne vers les ressources d’une personne nomme aussi cette personne.',
        en: 'A chain to the resources of a person names that person, too.',
      },
    },
  ],
}
