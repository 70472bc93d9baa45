/** The codes of the value sets to which R4 binds elements as required. */
import { type Concept, definitionsIn, type Terminology } from './package-files.ts'

/** Value sets without an enumeration in R4: grammars and lists that others keep. Their elements are not checked. */
const notEnumerable: ReadonlySet<string> = new Set([
  // BCP 13.
  'http://hl7.org/fhir/ValueSet/mimetypes',
  // ISO 4217.
  'http://hl7.org/fhir/ValueSet/currencies',
  // UCUM.
  'http://hl7.org/fhir/ValueSet/ucum-units',
  // LOINC.
  'http://loinc.org/vs/LL379-9',
])

/** Codes separated by blanks, by system, by last segment of the value set's URL. */
export type RequiredCodes = Readonly<Record<string, Readonly<Record<string, string>>>>

/** @param valueSets canonical URLs without versions */
export function requiredCodes(valueSets: readonly string[]): RequiredCodes {
  const known = new Map(
    ['valuesets.json', 'v3-codesystems.json', 'v2-tables.json']
      .flatMap((file) => [
        ...definitionsIn<Terminology>(file, 'ValueSet'),
        ...definitionsIn<Terminology>(file, 'CodeSystem'),
      ])
      .map((resource) => [`${resource.resourceType} ${resource.url}`, resource]),
  )
  const codes: Record<string, Record<string, string>> = {}
  for (const url of valueSets) {
    if (notEnumerable.has(url)) continue
    const compose = known.get(`ValueSet ${url}`)?.compose
    if (!compose || compose.exclude !== undefined) throw new Error(`no enumeration of ${url}`)
    const bySystem: Record<string, string> = {}
    for (const { system = '', concept, filter, valueSet } of compose.include) {
      const concepts = concept ?? known.get(`CodeSystem ${system}`)?.concept
      if (!concepts || filter !== undefined || valueSet !== undefined)
        throw new Error(`no enumeration of ${system} in ${url}`)
      const found = concepts.flatMap(withChildren)
      if (found.some((code) => /\s/.test(code))) throw new Error(`a code of ${system} holds a blank`)
      bySystem[system] = found.join(' ')
    }
    codes[lastSegment(url)] = bySystem
  }
  return codes
}

/** Without those that only group others (`notSelectable`). */
const withChildren = ({ code, concept = [], property = [] }: Concept): readonly string[] => [
  ...(property.some(({ code, valueBoolean }) => code === 'notSelectable' && valueBoolean) ? [] : [code]),
  ...concept.flatMap(withChildren),
]

/** The name at the end of a canonical URL. */
export const lastSegment = (url: string): string => url.slice(url.lastIndexOf('/') + 1)
