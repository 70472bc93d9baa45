/**
 * The lines of an accounting: what an organisation's professionals opened, and what professionals of others opened of its
 * patients. Memory holds a line for each professional, role and facility, and a page of entries.
 *
 * The first is a walk along the organisation's own index. The second walks all of the period and asks *records* whose
 * patients those were: an organisation knows far more persons than are looked at in a period, and *records* has no index
 * by which they could be listed.
 */
import { limits } from '../limits.ts'
import type { Reader } from '../store/ports.ts'
import {
  Continuations,
  type CountedEntry,
  isAccess,
  pageBy,
  pageOfOthers,
  walk,
  walkWindows,
} from './counted-entries.ts'
import type { CountedPart } from './counted-parts.ts'
import { type AccountKey, type CountedLine, Tally } from './tally.ts'

export type AccountSection =
  | 'opened'
  | 'opened-patient'
  | 'opened-by-others'
  | 'opened-by-others-total'
  | 'opened-by-others-patient'

export interface AccountLine extends CountedLine {
  readonly section: AccountSection
}

/** Of these persons those who have, or had, a source record at a facility of the organisation. */
export type KnownPersons = (persons: readonly string[]) => Promise<ReadonlySet<string>>

export interface Account {
  readonly ledger: Reader
  readonly parts: readonly CountedPart[]
  readonly organisation: string
  readonly knownPersons: KnownPersons
  /** Also a line for each professional and patient. */
  readonly isDetailed: boolean
}

/** Lines as they are known; an empty page tells that one more was read. */
export async function* accountLines(account: Account): AsyncGenerator<readonly AccountLine[]> {
  yield* opened(account)
  yield* openedByOthers(account)
}

async function* opened(account: Account): AsyncGenerator<readonly AccountLine[]> {
  const { ledger, parts, organisation, isDetailed } = account
  const tally = new Tally()
  for await (const page of walk(ledger, parts, pageBy('organisation', organisation))) {
    for (const entry of page) {
      const key = keyOf(entry)
      if (isAccess(entry)) tally.count(key, entry)
      if (isDisclosed(entry)) tally.meet(key, entry.patient as string)
    }
    yield []
  }
  yield* inSection('opened', tally)
  if (!isDetailed) return
  for (const professional of tally.professionals())
    yield* byPatient('opened-patient', account, professional, (page) =>
      Promise.resolve(page.filter((entry) => entry.organisation === organisation && entry.patient !== null)),
    )
}

async function* openedByOthers(account: Account): AsyncGenerator<readonly AccountLine[]> {
  const { ledger, parts, organisation, knownPersons, isDetailed } = account
  const tally = new Tally()
  const totals = new Tally()
  const continuations = new Continuations()
  for await (const page of walkWindows(ledger, parts, pageOfOthers(organisation))) {
    for (const entry of await amongKnown(page, knownPersons)) {
      const key = keyOf(entry)
      const total = { ...key, professional: null, name: null, role: null, facility: null }
      if (continuations.isFirst(entry) && entry.phase !== 'intent') {
        tally.count(key, entry)
        totals.count(total, entry)
      }
      if (isDisclosed(entry)) {
        tally.meet(key, entry.patient as string)
        totals.meet(total, entry.patient as string)
      }
    }
    yield []
  }
  yield* inSection('opened-by-others-total', totals)
  yield* inSection('opened-by-others', tally)
  if (!isDetailed) return
  for (const professional of tally.professionals())
    yield* byPatient('opened-by-others-patient', account, professional, (page) =>
      amongKnown(
        page.filter((entry) => entry.organisation !== organisation),
        knownPersons,
      ),
    )
}

/** @param select of a page of the professional's entries, those that count: each about a patient */
async function* byPatient(
  section: AccountSection,
  { ledger, parts }: Account,
  professional: string,
  select: (page: readonly CountedEntry[]) => Promise<readonly CountedEntry[]>,
): AsyncGenerator<readonly AccountLine[]> {
  const tally = new Tally({ maxLines: limits.maxCountedPatients })
  const continuations = new Continuations()
  for await (const page of walk(ledger, parts, pageBy('practitioner', professional))) {
    for (const entry of await select(page))
      if (continuations.isFirst(entry) && entry.phase !== 'intent')
        tally.count({ ...keyOf(entry), patient: entry.patient }, entry)
    yield []
  }
  yield* inSection(section, tally)
}

async function amongKnown(
  page: readonly CountedEntry[],
  knownPersons: KnownPersons,
): Promise<readonly CountedEntry[]> {
  const persons = new Set(page.flatMap(({ patient }) => patient ?? []))
  if (persons.size === 0) return []
  const known = await knownPersons([...persons])
  return page.filter(({ patient }) => patient !== null && known.has(patient))
}

const keyOf = ({ organisation, practitioner, name, role, facility }: CountedEntry): AccountKey => ({
  organisation,
  professional: practitioner,
  name: practitioner === null ? null : name,
  role,
  facility,
  patient: null,
})

/** Of an intent nothing has left yet: its outcome tells. */
const isDisclosed = ({ patient, outcome, phase }: CountedEntry): boolean =>
  patient !== null && outcome === 'permit' && phase !== 'intent'

function* inSection(section: AccountSection, tally: Tally): Generator<readonly AccountLine[]> {
  for (const line of tally.lines()) yield [{ section, ...line }]
}
