/** Lists of what a client takes, each with its weight: `Accept`, `Accept-Encoding` (RFC 9110 §12.4.2). */

export interface Weighted {
  /** In lower case. */
  readonly name: string
  /** In lower case, but for `q`. */
  readonly parameters: ReadonlyMap<string, string>
  /** 0: not taken. */
  readonly weight: number
}

/** In the order given; what has no name, or a weight that is none, is left out. */
export function weightedList(header: string | null): readonly Weighted[] {
  return (header ?? '')
    .toLowerCase()
    .split(',')
    .flatMap((item) => {
      const [name = '', ...rest] = item.split(';').map((part) => part.trim())
      const parameters = new Map(
        rest.map((part) => {
          const [key = '', value = ''] = part.split('=').map((side) => side.trim())
          return [key, value.replaceAll('"', '')] as const
        }),
      )
      const weight = Number(parameters.get('q') ?? '1')
      parameters.delete('q')
      return name === '' || Number.isNaN(weight) ? [] : [{ name, parameters, weight }]
    })
}
