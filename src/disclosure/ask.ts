/**
 * Step 2 for one caller: the facts of the policy and the page in one snapshot, the local page beside it. When the registry
 * has moved on since the isolate last read it, the token is verified against what it says now, once, and everything is
 * asked again for whoever that makes the caller.
 */
import type { Authenticated, Authenticator, Credentials } from '../access/authenticate.ts'
import { type Clock, factStatements, type RegistryMoved, readClock, readFacts } from '../access/facts.ts'
import type { AccessRefusal } from '../access/refusal.ts'
import type { SubjectQuestion } from '../access/subject-sql.ts'
import { err, ok, type Result } from '../result.ts'
import { type Reader, type Rows, type Statement, StoreError } from '../store/ports.ts'
import type { Load, SessionClock, Staleness } from './load.ts'
import type { Asker, Loaded, Page } from './operation.ts'
import type { Defer, Ports } from './ports.ts'
import type { Refusal } from './refusal.ts'

export interface Question {
  readonly credentials: Credentials
  readonly session: SessionClock | null
  readonly now: number
  readonly defer: Defer
  readonly page: (asker: Asker) => Page
}

export interface Answer {
  /** Whom the answer is for: verified again when the registry had moved on. */
  readonly authenticated: Authenticated
  readonly clock: Clock
  readonly staleness: Staleness | null
  readonly loaded: Result<Loaded, Refusal>
}

/** Rejects with `StoreError` when neither replica nor primary answers. */
export async function ask(
  { authenticator, locals }: Pick<Ports, 'authenticator' | 'locals'>,
  load: Load,
  question: Question,
  authenticated: Authenticated,
  isRepeated = false,
): Promise<Answer> {
  const { session, now, defer, page } = question
  const { presented, placement, sight } = authenticated
  const here = placement ? locals.get(placement.region) : undefined
  const facility = placement?.facility ?? null
  const wanted = page({ presented, facility, sight, now })

  const askLocal = async () => (here ? await readLocal(here.reader, wanted.local ?? []) : [])
  const askRecords = async (about: SubjectQuestion | null) => {
    const facts = factStatements({ presented, about })
    const snapshot = await load([...facts, ...(wanted.records ?? [])], session, now, defer)
    const read = readFacts(snapshot.rows.slice(0, facts.length), { presented, placement, sight, about }, now)
    return { snapshot, read, rows: snapshot.rows.slice(facts.length) }
  }
  const { subject } = wanted
  const professional = sight?.professional ?? null
  const about = (of: SubjectQuestion['of']): SubjectQuestion => ({ of, facility, professional, now })
  let local: readonly Rows[] | null
  let records: Awaited<ReturnType<typeof askRecords>>
  if (typeof subject === 'function') {
    // Whom an unshared document is about only the local database knows: one request each all the same, one after the other.
    local = await askLocal()
    records = await askRecords(about(subject(local ?? [])))
  } else {
    ;[records, local] = await Promise.all([askRecords(subject ? about(subject) : null), askLocal()])
  }

  const { snapshot, read, rows } = records
  const answer = { authenticated, clock: readClock(snapshot.rows), staleness: snapshot.staleness }
  if (!read.ok) {
    const { error } = read
    if (!hasMoved(error)) return { ...answer, loaded: err(error) }
    // It has moved on twice in one request: the caller may try again.
    if (isRepeated) return { ...answer, loaded: err({ reason: 'store-unavailable', detail: error.reason }) }
    const again = await renewed(authenticator, authenticated, error, question)
    if (!again.ok) return { ...answer, loaded: again }
    return await ask({ authenticator, locals }, load, question, again.value, true)
  }
  if (snapshot.isClockAhead) return { ...answer, loaded: err(impossibleClock) }
  return {
    ...answer,
    loaded: ok({
      ...read.value,
      records: rows,
      local: local ?? [],
      hasLocal: here !== undefined,
      isLocalMissing: local === null,
    }),
  }
}

/** By what the batch itself said: the replica that a standing would be read from may lag behind it. */
async function renewed(
  authenticator: Authenticator,
  authenticated: Authenticated,
  moved: RegistryMoved,
  { credentials, now }: Question,
): Promise<Result<Authenticated, Refusal>> {
  const { presented } = authenticated
  if (moved.reason === 'standing-changed') {
    authenticator.remember(presented, moved.standing)
    return ok({ ...authenticated, ...moved.standing })
  }
  authenticator.forget(presented)
  return await authenticator.authenticate(credentials, now)
}

const hasMoved = (error: AccessRefusal | RegistryMoved): error is RegistryMoved =>
  error.reason !== 'unauthenticated' && error.reason !== 'forbidden'

/** Null when the local database does not answer: the shared record is not held back for it. */
async function readLocal(reader: Reader, statements: readonly Statement[]): Promise<readonly Rows[] | null> {
  if (statements.length === 0) return []
  try {
    return await reader.read(statements)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'unavailable') return null
    throw error
  }
}

const impossibleClock: Refusal = {
  reason: 'invalid',
  issues: [
    {
      code: 'value',
      expression: 'Dossier-Clock',
      text: {
        fr: 'Aucune écriture n’a encore ce numéro : renvoyez `Dossier-Clock` tel que reçu.',
        en: 'No write has this number yet: send `Dossier-Clock` back as it was received.',
      },
    },
  ],
}
