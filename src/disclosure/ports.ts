/** What the gate needs of its shell. */
import type { Authenticator } from '../access/authenticate.ts'
import type { AuditLogs } from '../audit/port.ts'
import type { Redactions } from '../audit/redactions.ts'
import type { Config, Region } from '../config.ts'
import type { Definitions } from '../fhir/definitions.ts'
import type { Reader, Writer } from '../store/ports.ts'

export interface Ports {
  readonly config: Config
  readonly authenticator: Authenticator
  /** *records* at the nearest replica. */
  readonly replica: Reader
  /** *records* at its primary. */
  readonly primary: Writer
  /** Local databases of the regions served here, by region name. */
  readonly locals: ReadonlyMap<
    string,
    { readonly region: Region; readonly reader: Reader; readonly writer: Writer }
  >
  readonly ledger: Reader
  readonly redactions: Redactions
  readonly logs: AuditLogs
  /** Of FHIR R4: a data module, loaded when it is first needed. */
  definitions(): Promise<Definitions>
  /** The peer's address as the runtime knows it. */
  peerAddress(request: Request): string | null
}

/** Work that goes on after the response: never anything a receipt depends on. */
export type Defer = (work: Promise<unknown>) => void
