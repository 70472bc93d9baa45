/** The current issuers of the trust registry, as one read found them. */
import { limits } from '../limits.ts'
import type { Row, Rows } from '../store/ports.ts'
import { type TrustedIssuer, trustIssuer } from './issuer-keys.ts'

interface Listed {
  readonly row: Row
  /** Its keys, made ready when a token first needs them; null until then. */
  trusted: TrustedIssuer | null
}

export class IssuerList {
  readonly #byName: ReadonlyMap<string, Listed>
  readonly #ended: ReadonlySet<string>
  readonly #readAtMs: number

  /**
   * `rows` are those of table `issuer`, `ended` the names that have had a row and have none now. Of `before`, keys made
   * ready are kept: a registry row is never updated in place.
   */
  constructor(rows: Rows, ended: Rows, readAtMs: number, before: IssuerList | null) {
    this.#readAtMs = readAtMs
    this.#ended = new Set(ended.map(({ issuer }) => String(issuer)))
    const known = before ? before.#byName : new Map<string, Listed>()
    this.#byName = new Map(rows.map((row) => [String(row.issuer), sameOrNew(known, row)]))
  }

  /** Until then a name or key that is not listed is refused without asking the registry again. */
  isRecent(nowMs: number): boolean {
    return nowMs - this.#readAtMs < limits.issuerReloadEveryMs
  }

  /** Number of the issuer's registry row. */
  rowOf(issuer: string): number | undefined {
    const listed = this.#byName.get(issuer)
    return listed && Number(listed.row.row)
  }

  /** Of an issuer that is not listed: whether it was. */
  wasEnded(issuer: string): boolean {
    return this.#ended.has(issuer)
  }

  /**
   * Null: not listed.
   *
   * @throws SyntaxError when the JSON of the issuer's row is damaged.
   */
  async trusted(issuer: string): Promise<TrustedIssuer | null> {
    const listed = this.#byName.get(issuer)
    if (!listed) return null
    listed.trusted ??= await trustIssuer(listed.row)
    return listed.trusted
  }
}

function sameOrNew(known: ReadonlyMap<string, Listed>, row: Row): Listed {
  const listed = known.get(String(row.issuer))
  return listed && listed.row.row === row.row ? listed : { row, trusted: null }
}
