/** The definitions of FHIR R4 as a data module beside the code: evaluated by the first publication an isolate gets. */
import { type Definitions, readDefinitions } from '../fhir/definitions.ts'

let loaded: Promise<Definitions> | undefined

export function definitions(): Promise<Definitions> {
  loaded ??= import('../fhir/r4/validation.generated.txt').then(({ default: text }) => readDefinitions(text))
  return loaded
}
