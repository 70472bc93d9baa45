/** What is wrong with what a client sent, and its FHIR form. */

/** One thing wrong with what a client sent: becomes an issue of an `OperationOutcome`. */
export interface Issue {
  /** FHIR issue-type code, e.g. `structure`, `required`, `value`, `not-found`, `conflict`, `too-costly`. */
  readonly code: string
  /** FHIRPath-like location, e.g. `Bundle.entry[3].resource.subject`. */
  readonly expression?: string
  readonly text: { readonly fr: string; readonly en: string }
  /** Code of `refusalSystem`, where a program must tell refusals apart. */
  readonly tag?: string
}

/** Code system of the refusals that a client may have to act on. */
export const refusalSystem = 'https://dossier.example/CodeSystem/refusal'

export interface OperationOutcome {
  readonly resourceType: 'OperationOutcome'
  readonly issue: readonly {
    readonly severity: Severity
    readonly code: string
    readonly details: {
      readonly coding?: readonly { readonly system: string; readonly code: string }[]
      readonly text: string
    }
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
    issue: issues.map(({ code, expression, text, tag }) => ({
      severity,
      code,
      details: {
        ...(tag === undefined ? {} : { coding: [{ system: refusalSystem, code: tag }] }),
        text: text[language],
      },
      ...(expression === undefined ? {} : { expression: [expression] }),
    })),
  }
}
