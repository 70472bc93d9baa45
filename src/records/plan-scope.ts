/** What the references of one bundle can mean. */
import { codingText, identifiersOf } from '../fhir/codings.ts'
import type { ReferenceScope } from '../fhir/references.ts'
import type { PlanContext } from './plan-context.ts'
import type { WriteEntry } from './plan-entry.ts'

/** Where two entries share a name, the first has it; whether they are one resource is judged when both have an id. */
export function referenceScope(
  entries: readonly WriteEntry[],
  { identitySystems, baseUrl }: PlanContext,
  isServerId: (type: string, id: string) => boolean,
): ReferenceScope {
  const entryByFullUrl = new Map<string, number>()
  const entryByTypeAndId = new Map<string, number>()
  const entriesByIdentifier = new Map<string, number[]>()
  for (const { index, fullUrl, putId, resource } of entries) {
    if (fullUrl !== null && !entryByFullUrl.has(fullUrl)) entryByFullUrl.set(fullUrl, index)
    const id = putId ?? resource.id
    const name = `${resource.resourceType}/${id}`
    if (typeof id === 'string' && !entryByTypeAndId.has(name)) entryByTypeAndId.set(name, index)
    for (const { system, value } of identifiersOf(resource)) {
      const condition = `${resource.resourceType}?${codingText({ system, code: value })}`
      const found = entriesByIdentifier.get(condition)
      if (!found) entriesByIdentifier.set(condition, [index])
      else if (!found.includes(index)) found.push(index)
    }
  }
  return { entryByFullUrl, entryByTypeAndId, entriesByIdentifier, identitySystems, baseUrl, isServerId }
}
