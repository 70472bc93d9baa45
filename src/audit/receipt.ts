import type { AppendReply } from './port.ts'

/**
 * Proof that an access is in an audit log: what `release` asks for before it builds a response. Only `audit/` makes one,
 * from a log's own reply; a test keeps it so. The private member makes it impossible to fake by shape.
 */
export class Receipt {
  readonly #reply: AppendReply

  private constructor(reply: AppendReply) {
    this.#reply = reply
  }

  /** For `client.ts` only. */
  static mint(reply: AppendReply): Receipt {
    return new Receipt(reply)
  }

  static isReceipt(value: unknown): value is Receipt {
    return typeof value === 'object' && value !== null && #reply in value
  }

  /** Value of `Dossier-Receipt`: `<log>/<first index>[+<n−1>]:<tree hash of the access's leaves>`. */
  get header(): string {
    const { log, first, count, hash } = this.#reply
    return `${log}/${first}${count > 1 ? `+${count - 1}` : ''}:${hash}`
  }

  /** When the log took it: ISO 8601, UTC, milliseconds. */
  get time(): string {
    return this.#reply.time
  }
}

export const isReceipt = Receipt.isReceipt
