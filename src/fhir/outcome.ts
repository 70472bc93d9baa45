/** What is wrong with what a client sent, and its FHIR form. */

/** One thing wrong with what a client sent: becomes an issue of an `OperationOutcome`. */
export interface Issue {
  /** FHIR issue-type code, e.g. `structure`, `required`, `value`, `not-found`, `conflict`, `too-costly`. */
  readonly code: string
  /** FHIRPath-like location, e.g. `Bundle.entry[3].resource.subject`. */
  readonly expression?: string
  readonly text: { readonly fr: string; readonly en: string }
}

export interface OperationOutcome {
  readonly resourceType: 'OperationOutcome'
  readonly issue: readonly {
    readonly severity: Severity
    readonly code: string
    readonly details: { readonly text: string }
    readonly expression?: readonly string[]
  }[]
}

export type Severity = 'fatal' | 'error' | 'warning' | 'information'

/** FHIR R4 `OperationOutcome`. @param issues at least one: the resource must hold one. */
export function operationOutcome(
  issues: readonly Issue[],
  language: 'fr' | 'en',
  severity: Severity = 'error',
): OperationOutcome {
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map(({ code, expression, text }) => ({
      severity,
      code,
      details: { text: text[language] },
      ...(expression === undefined ? {} : { expression: [expression] }),
    })),
  }
}
