/** What planning a publication depends on beside the bundle. */
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
}
