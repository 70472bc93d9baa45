/** What every scenario of the benchmark takes and gives. */

export interface Scale {
  /** Entries of a large log. */
  readonly entries: number
}

export interface Figure {
  /** What was measured, within its scenario. */
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What the design must reach; null: the figure is told, not judged. */
  readonly goal: { readonly kind: 'at least' | 'at most'; readonly value: number } | null
}

/** A part that this machine or this version cannot measure, told so that nobody takes it for measured. */
export interface Skipped {
  readonly name: string
  readonly why: string
}

export interface Measured {
  readonly figures: readonly Figure[]
  readonly skipped: readonly Skipped[]
}

export interface Scenario {
  /** As `--only` takes it. */
  readonly name: string
  readonly run: (scale: Scale) => Promise<Measured>
}

export const isReached = ({ value, goal }: Figure): boolean =>
  goal === null || (goal.kind === 'at least' ? value >= goal.value : value <= goal.value)
