/**
 * Reading a FHIR R4 `Consent` into the register. Whatever is not understood is an issue, never passed over: it might
 * narrow what is refused, or widen it. Accepted and not kept: `id`, `meta`, a generated narrative, `display` and `text` of
 * codes and references, and the extension in which the register says who recorded it.
 */
import { parseDate } from '../fhir/date.ts'
import { isObject } from '../fhir/json.ts'
import type { Issue } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { readProvision } from './consent-provision.ts'
import type { ConsentContent } from './consent-resource.ts'
import { isBounded } from './consent-scope.ts'
import {
  actCode,
  consentScope,
  loinc,
  type Means,
  meansExtension,
  meansOfExpression,
  recorderExtension,
} from './consent-terms.ts'
import {
  type Issues,
  items,
  onlyMembers,
  patientReference,
  readConcept,
  required,
  wrong,
} from './element-reading.ts'

const members = [
  'resourceType',
  'id',
  'meta',
  'text',
  'extension',
  'status',
  'scope',
  'category',
  'patient',
  'dateTime',
  'performer',
  'policyRule',
  'provision',
]

/** Every issue has an expression. What the registry must know besides is for `consent-checks.ts`. */
export function readConsent(value: unknown): Result<ConsentContent, readonly Issue[]> {
  const issues: Issues = []
  if (!isObject(value) || value.resourceType !== 'Consent') {
    wrong(issues, 'Consent.resourceType', 'attend un `Consent`', 'expects a `Consent`')
    return err(issues)
  }
  onlyMembers(issues, value, 'Consent', members)
  if (isObject(value.meta)) onlyMembers(issues, value.meta, 'Consent.meta', ['versionId', 'lastUpdated'])
  checkText(issues, value.text)
  const means = readExtensions(issues, value.extension)
  const status = readStatus(issues, value.status)
  oneCode(issues, value.scope, 'Consent.scope', consentScope, 'patient-privacy')
  checkCategories(issues, value.category)
  const patient = patientReference(issues, value.patient, 'Consent.patient')
  const dateTime = readDateTime(issues, value.dateTime)
  const performer = readPerformer(issues, value.performer)
  oneCode(issues, value.policyRule, 'Consent.policyRule', actCode, 'OPTOUT')
  const scope = readProvision(issues, value.provision)
  if (scope && !isBounded(scope))
    issues.push({
      code: 'too-costly',
      expression: 'Consent.provision',
      text: {
        fr: `Consent.provision : ${limits.maxConsentRules} règles au plus (chaque acteur avec chaque objet).`,
        en: `Consent.provision: ${limits.maxConsentRules} rules at most (each actor with each thing).`,
      },
    })
  if (issues.length > 0 || !scope || !status || patient === null)
    return err(issues.slice(0, limits.maxIssues))
  return ok({ status, patient, performer, dateTime, means, scope })
}

function checkText(issues: Issues, text: unknown): void {
  // A generated narrative says nothing that the elements do not.
  if (text !== undefined && !(isObject(text) && text.status === 'generated'))
    wrong(
      issues,
      'Consent.text',
      'seul un texte généré est accepté',
      'only a generated narrative is accepted',
    )
}

function readStatus(issues: Issues, status: unknown): ConsentContent['status'] | null {
  if (status === 'active' || status === 'inactive') return status
  wrong(issues, 'Consent.status', 'attend `active` ou `inactive`', 'expects `active` or `inactive`')
  return null
}

function readExtensions(issues: Issues, value: unknown): Means | null {
  let means: Means | null = null
  for (const [at, extension] of items(issues, value, 'Consent.extension')) {
    if (!isObject(extension)) wrong(issues, at, 'attend une extension', 'expects an extension')
    else if (extension.url === recorderExtension) continue
    else if (extension.url !== meansExtension || means !== null)
      wrong(issues, at, 'extension inconnue ou répétée', 'unknown or repeated extension')
    else {
      onlyMembers(issues, extension, at, ['url', 'valueCode'])
      means = meansOfExpression.find((known) => known === extension.valueCode) ?? null
      if (means === null) {
        const known = meansOfExpression.join(', ')
        wrong(issues, `${at}.valueCode`, `attend l’un de : ${known}`, `expects one of: ${known}`)
      }
    }
  }
  return means
}

function oneCode(issues: Issues, value: unknown, at: string, system: string, code: string): void {
  const found = value === undefined ? null : readConcept(issues, value, at)
  if (value === undefined) required(issues, at)
  else if (found && (found.system !== system || found.code !== code))
    wrong(issues, at, `attend ${system}|${code}`, `expects ${system}|${code}`)
}

function checkCategories(issues: Issues, value: unknown): void {
  const all = items(issues, value, 'Consent.category')
  if (value === undefined || (Array.isArray(value) && all.length === 0)) required(issues, 'Consent.category')
  // Others, such as EMRGONLY, say what this register does not do.
  for (const [at, category] of all) oneCode(issues, category, at, loinc, '59284-0')
}

function readDateTime(issues: Issues, value: unknown): string | null {
  if (value === undefined) return null
  if (typeof value === 'string' && parseDate(value)) return value
  wrong(issues, 'Consent.dateTime', 'attend une date FHIR', 'expects a FHIR dateTime')
  return null
}

function readPerformer(issues: Issues, value: unknown): string | null {
  const all = items(issues, value, 'Consent.performer')
  const [first, second] = all
  if (second) wrong(issues, second[0], 'une seule personne consent', 'one person agrees')
  return first ? patientReference(issues, first[1], first[0]) : null
}
