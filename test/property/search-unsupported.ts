/** Parameters of R4 that this server refuses, each for a reason: searches by them answer 400 and name them, all others do not. */
import type { Search } from './search-generator.ts'

export interface Unsupported {
  /** `*`: of every type. */
  readonly type: string
  readonly parameter: string
  readonly reason: string
}

export const unsupported: readonly Unsupported[] = []

/** What of a search is refused; chains are refused for what they end in. */
export function refusedIn({ type, filters, includes }: Search): readonly Unsupported[] {
  const asked = [
    ...filters.map(({ name }) => askedBy(type, name)),
    ...includes.map(({ value }) => {
      const [from = '', code = ''] = value.split(':')
      return { type: from, parameter: code }
    }),
  ]
  return unsupported.filter((one) =>
    asked.some(
      ({ type: of, parameter }) => (one.type === '*' || one.type === of) && one.parameter === parameter,
    ),
  )
}

function askedBy(type: string, name: string): { readonly type: string; readonly parameter: string } {
  return { type, parameter: name.split(':')[0] ?? '' }
}
