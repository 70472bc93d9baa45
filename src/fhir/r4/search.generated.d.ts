/** Of `src/local/definitions/search-tables.ts`, which says what the members mean. */
type Components = readonly (readonly [type: string, sources: readonly string[]])[]
type Row = readonly [
  name: string,
  type: string,
  sourcesOrContexts: readonly string[],
  targetsOrComponents?: readonly string[] | Components,
]

export const parametersByType: Readonly<Record<string, readonly Row[]>>
export const partsByType: Readonly<
  Record<string, readonly [summary: readonly string[], required: readonly string[]]>
>
