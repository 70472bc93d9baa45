/** The bounds of what one search may ask, and what it may find. A part of `limits.ts`. */
export const searchLimits = {
  /** Parameters of one search, and repetitions of one of them: a clinician's client sends a handful. */
  maxSearchParameters: 30,
  /** Comma-separated values of one search parameter: they are bound as one JSON list. */
  maxSearchAlternatives: 100,
  /**
   * Dates, numbers, quantities and composites of one search together: each is compared by itself with every document of the
   * person. 100 of them over 2,000 Observations took SQLite 6 to 20 s, and 2,800 never came to an end; 20 take about one.
   */
  maxSearchComparisons: 20,
  /** A search sent as a form: 30 parameters of 100 codes with their systems; taking 16 MiB of them apart would take a Worker's memory. */
  maxSearchFormBytes: 128 * 1024,
  /** Keys of `_sort`: a table has as many columns one sorts by. */
  maxSortKeys: 3,
  /** Characters of a sort key that count: what is alike so far is in the order of ids. */
  maxSortKeyLength: 100,
  /** Types that a chained parameter without a type may mean: each is a statement of its own. */
  maxChainTypes: 3,
  /** Resources that a chain or `_has` may find: their ids are bound as one list. */
  maxLinked: 1_000,
  /** Resources that `_include` and `_revinclude` add to a page; what is left out is said in it. */
  maxIncluded: 500,
  /** Types among them that `_include` may lead to from one page: each is a statement of its own, and has its part of the text. */
  maxIncludedTypes: 30,
  /** People that a name or a birth date may be of before whoever looks for one is asked for more: a day has about 300 of 8.5 M. */
  maxNamesakes: 2_000,
  /** Characters of a text that string parameters find it by. */
  maxLookupLength: 1_000,
} as const
