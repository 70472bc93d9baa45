/** Whom or what a search names: a patient, a document, an identifier or an encounter, without which none is answered. */
import type { Parameter, Sight } from './search-answer.ts'
import { definitionsOf, type Resource } from './search-definitions.ts'
import type { Generator } from './search-generator.ts'
import { identifiersOf, type Served } from './search-world.ts'

export interface Anchor {
  /** Id of the source record that is named; null: no patient is. */
  readonly patient: string | null
  readonly filters: readonly Parameter[]
  /** From which values are taken: a document that the search is meant to find, then others about the same person. */
  readonly near: readonly Served[]
}

export function anchorOf(generator: Generator, sight: Sight, type: string): Anchor {
  const { random, world } = generator
  const ofType = generator.ofType(type)
  const visible = sight.ofType(type)
  const one = random.pick(visible.length > 0 && random.chance(90) ? visible : ofType)
  const { source, person, id } = one.document
  const same = ofType.filter(({ document }) => document.person === person)
  const named = (name: string, value: string, patient: string | null = null): Anchor => ({
    patient,
    filters: [{ name, value }],
    near: [one, ...same],
  })
  const byId = (): Anchor => named('_id', random.chance(30) ? `${id},${random.pick(same).document.id}` : id)
  const by = random.below(100)
  const identifier = identifierOf(one.resource)
  if (type === 'Patient') return by < 40 ? byId() : named(...demographics(generator, one.resource))
  if (source === '')
    return by < 30
      ? byId()
      : by < 60 || identifier === ''
        ? { ...byId(), filters: [] }
        : named('identifier', identifier)
  if (by < 8) return byId()
  if (by < 16 && identifier !== '') return named('identifier', identifier)
  const encounter = (one.resource.encounter as { reference?: string } | undefined)?.reference
  const has = (code: string): boolean => definitionsOf(type).some((definition) => definition.code === code)
  if (by < 26 && has('encounter') && encounter !== undefined)
    return named('encounter', random.chance(50) ? encounter : encounter.replace('Encounter/', ''))
  const patient = random.pick(world.world.sources.filter((candidate) => candidate.person === person)).id
  const forms = [
    ['patient', patient],
    ['patient', `Patient/${patient}`],
    ...identifiersOf(world.all.find((served) => served.document.id === patient)?.resource).map(
      (identifier) => ['patient.identifier', identifier] as const,
    ),
    ...(has('subject')
      ? [
          ['subject', `Patient/${patient}`],
          ['subject:Patient', patient],
        ]
      : []),
  ] as const
  return named(...(random.pick(forms) as readonly [string, string]), patient)
}

/** Empty: it has none. */
const identifierOf = (resource: Resource): string => identifiersOf(resource)[0] ?? ''

/** What people say of themselves. */
function demographics({ random }: Generator, resource: Resource): readonly [name: string, value: string] {
  const { name, birthDate } = resource as Resource & {
    readonly name: readonly { readonly family: string; readonly given: readonly string[] }[]
    readonly birthDate: string
  }
  const [
    {
      family,
      given: [given = ''],
    },
  ] = name as readonly [{ family: string; given: readonly string[] }]
  return random.pick([
    ['identifier', identifierOf(resource)],
    ['birthdate', birthDate],
    ['family', family],
    ['family', family.slice(0, 3).toUpperCase()],
    ['given', given],
    ['name', given.slice(0, 4)],
  ] as const)
}
