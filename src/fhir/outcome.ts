/** One thing wrong with what a client sent: becomes an issue of an `OperationOutcome`. */
export interface Issue {
  /** FHIR issue-type code, e.g. `structure`, `required`, `value`, `not-found`, `conflict`, `too-costly`. */
  readonly code: string
  /** FHIRPath-like location, e.g. `Bundle.entry[3].resource.subject`. */
  readonly expression?: string
  readonly text: { readonly fr: string; readonly en: string }
}
