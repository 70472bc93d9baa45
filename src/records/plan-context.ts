/** What planning a publication depends on beside the bundle. */
import type { JsonObject } from '../fhir/json.ts'
import type { Issue } from '../fhir/outcome.ts'
import type { ValidationOptions } from '../fhir/validate.ts'
import type { SharingRule } from './sharing.ts'

export interface PlanContext {
  readonly facility: string
  /** Identifier systems by which the facility identifies documents. */
  readonly identitySystems: readonly string[]
  /** 32 bytes. */
  readonly idKey: Uint8Array
  readonly rules: readonly SharingRule[]
  /** Identifier systems on which persons may be joined. */
  readonly personSystems: readonly string[]
  /** Base of this server's FHIR URLs, ending in `/`. */
  readonly baseUrl: string
  /** What is wrong with a resource by itself (`validateResource` over the definitions of R4). */
  readonly validate: (resource: JsonObject, options: ValidationOptions) => readonly Issue[]
}
