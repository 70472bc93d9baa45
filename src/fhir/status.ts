/** The status of a resource, as it is stored and as scopes ask about it. */
import { codingsAt } from './codings.ts'
import { elementsOf } from './elements.ts'
import type { JsonObject } from './json.ts'

/** Every element by which an R4 resource says that it should never have been. */
const errorPaths = ['status', 'verificationStatus', 'lifecycleStatus', 'docStatus', 'operationalStatus']

/** `entered-in-error` whichever element says so, else the code of the type's status element; empty without one. */
export function statusCode(type: string, resource: JsonObject): string {
  const isError = errorPaths.some((path) =>
    codingsAt(resource, path).some(({ code }) => code === 'entered-in-error'),
  )
  return isError ? 'entered-in-error' : (codingsAt(resource, elementsOf(type).status)[0]?.code ?? '')
}
