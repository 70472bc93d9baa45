/** What of an AuditEvent is compared with its entry (`docs/audit-log.md` §4), whatever shape the JSON has. */
import { isObject } from './entry-frame.ts'

/** Arrays, texts and null; of what is not as it should be, the JSON itself. */
export type Fact = unknown

/** Compared elements in the order in which they are. `patient` are the entities of persons, `entity` the others. */
export const elements = [
  'resourceType',
  'id',
  'extension',
  'recorded',
  'source',
  'patient',
  'agent',
  'action',
  'outcome',
  'outcomeDesc',
  'type',
  'subtype',
  'purposeOfEvent',
  'entity',
] as const

export type Facts = Readonly<Record<(typeof elements)[number], Fact>>

export const entryUrl = 'https://dossier.example/StructureDefinition/audit-log-entry'

export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let at = value
  for (const name of path) at = isObject(at) && Object.hasOwn(at, name) ? at[name] : null
  return at
}

/** An absent list is an empty one; what is no list tells itself. */
const each = (value: unknown, tell: (item: unknown) => Fact): Fact =>
  Array.isArray(value) ? value.map(tell) : (value ?? [])

const itself = (value: unknown): Fact => value
const coding = (value: unknown): Fact => [valueAt(value, 'system'), valueAt(value, 'code')]
const concept = (value: unknown): Fact => [each(valueAt(value, 'coding'), coding), valueAt(value, 'text')]
const reference = (value: unknown): Fact => [
  valueAt(value, 'reference'),
  valueAt(value, 'type'),
  valueAt(value, 'identifier', 'system'),
  valueAt(value, 'identifier', 'value'),
  valueAt(value, 'display'),
]

const agent = (value: unknown): Fact => [
  concept(valueAt(value, 'type')),
  each(valueAt(value, 'role'), concept),
  reference(valueAt(value, 'who')),
  valueAt(value, 'altId'),
  valueAt(value, 'name'),
  valueAt(value, 'requestor'),
  reference(valueAt(value, 'location')),
  each(valueAt(value, 'policy'), itself),
  valueAt(value, 'network', 'address'),
  each(valueAt(value, 'purposeOfUse'), concept),
]

const entity = (value: unknown): Fact => [
  coding(valueAt(value, 'type')),
  coding(valueAt(value, 'role')),
  reference(valueAt(value, 'what')),
  valueAt(value, 'query'),
  each(valueAt(value, 'detail'), (detail) => [valueAt(detail, 'type'), valueAt(detail, 'valueString')]),
]

const isPerson = (value: unknown): boolean => valueAt(value, 'type', 'code') === '1'

const chosen = (value: unknown, choose: (item: unknown) => boolean): unknown =>
  Array.isArray(value) ? value.filter(choose) : value

export function factsOf(event: unknown): Facts {
  const entities = valueAt(event, 'entity')
  return {
    resourceType: valueAt(event, 'resourceType'),
    id: valueAt(event, 'id'),
    extension: each(
      chosen(valueAt(event, 'extension'), (item) => valueAt(item, 'url') === entryUrl),
      (item) => valueAt(item, 'valueString'),
    ),
    recorded: valueAt(event, 'recorded'),
    source: [
      valueAt(event, 'source', 'site'),
      reference(valueAt(event, 'source', 'observer')),
      each(valueAt(event, 'source', 'type'), coding),
    ],
    patient: each(chosen(entities, isPerson), entity),
    agent: each(valueAt(event, 'agent'), agent),
    action: valueAt(event, 'action'),
    outcome: valueAt(event, 'outcome'),
    outcomeDesc: valueAt(event, 'outcomeDesc'),
    type: coding(valueAt(event, 'type')),
    subtype: each(valueAt(event, 'subtype'), coding),
    purposeOfEvent: each(valueAt(event, 'purposeOfEvent'), concept),
    entity: each(
      chosen(entities, (item) => !isPerson(item)),
      entity,
    ),
  }
}
