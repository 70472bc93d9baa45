/** Names of logs, and indices and positions in them, as texts. */

const name = '[a-z0-9][a-z0-9-]{0,62}'
// Exact as a number, with room to add to it.
const index = '(?:0|[1-9]\\d{0,14})'

export const logName = new RegExp(`^${name}$`)

export const entryIndex = new RegExp(`^${index}$`)

/** `<log>:<size>` */
export const logPosition = new RegExp(`^${name}:${index}$`)

/** `<log>/<index>` */
export const entryName = new RegExp(`^${name}/${index}$`)

/** `<log>/<first index>[+<more>][:<hash>]`, each captured: a receipt, or its beginning. */
export const receiptText = new RegExp(`^(${name})/(${index})(?:\\+(\\d+))?(?::([A-Za-z0-9_-]{43}))?$`)
