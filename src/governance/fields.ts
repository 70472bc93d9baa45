/** Members of the bodies and queries of `/access`, bounded. */
import * as z from 'zod'
import { entryIndex as entryIndexPattern, logName as logNamePattern } from '../audit/log-name.ts'
import { idPattern } from '../fhir/types.ts'
import { limits } from '../limits.ts'
import { isSecureUrl } from '../secure-url.ts'

/** No parameters at all, in the path or in the query. */
export const noInput = z.strictObject({})

/** A check of our own, with what is said when it fails. */
export const told = (fr: string, en: string) => ({ params: { fr, en } })

const isPlain = (value: string): boolean =>
  value.isWellFormed() && value.trim() === value && !/\p{Cc}/u.test(value)

const text = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .refine(
      isPlain,
      told(
        'ne doit contenir ni caractère de commande ni espace au début ou à la fin',
        'must hold no control character and no space at either end',
      ),
    )

/** As people read it. */
export const name = text(limits.maxRegistryNameLength)

/** A subject, client id, audience, code system or token id: compared character by character. */
export const identifier = text(limits.maxRegistryUriLength)

/** Id of a professional, facility or organisation: a FHIR id. */
export const registryId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/)

/** A role, a type of facility or a purpose; `*` where the policy takes it for any. */
export const code = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/)
export const codeOrAny = z.string().regex(/^(\*|[A-Za-z0-9][A-Za-z0-9-]{0,63})$/)

/** Names of logs and regions. */
export const logName = z.string().regex(logNamePattern)

/** Index of an entry of a log. */
export const entryIndex = z.string().regex(entryIndexPattern)

/** https, or http to this machine: anything else could be read or changed on the way. */
export const secureUrl = text(limits.maxRegistryUriLength).refine(
  isSecureUrl,
  told(
    'doit être une adresse https (http sur cette machine seulement), sans mot de passe ni fragment',
    'must be an https address (http on this machine only), without a password or fragment',
  ),
)

/** Origin of a page as browsers send it (RFC 6454 §6.2): scheme, host and port, nothing after them. */
export const browserOrigin = text(limits.maxOriginLength).refine(
  // A star is a letter to URL, and a wildcard to whoever reads the list.
  (value) => isSecureUrl(value) && new URL(value).origin === value && !value.includes('*'),
  told(
    'doit être une origine https (http sur cette machine seulement), p. ex. https://app.example, sans chemin ni barre à la fin',
    'must be an https origin (http on this machine only), e.g. https://app.example, without a path or a slash at the end',
  ),
)

/** `after`: `next` of the page before, the number of a registry row. */
export const after = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/)
  .transform(Number)
  .default(0)

/** FHIR R4 datatype `id`. */
export const fhirId = z.string().regex(idPattern)

/** `Patient/[server id]`. */
export const patientField = z.string().regex(/^Patient\/[A-Za-z0-9.-]{1,64}$/)

/** Id of such a reference. */
export const patientId = (reference: string): string => reference.slice('Patient/'.length)

/** What one text of an audit entry holds. */
export const entryText = z.string().min(1).max(limits.maxEntryTextBytes)

/** Words: told to the patient and to the privacy officer. */
export const reasonField = z.string().trim().min(limits.minReasonLength).max(limits.maxReasonLength)

/** Of what cannot be undone, an entry has it whole: longer texts of a note are cut. */
const wholeReason = reasonField.refine(
  (text) => new TextEncoder().encode(JSON.stringify(text)).length <= limits.maxEntryTextBytes,
  told('ne tient pas dans une entrée du journal', 'does not fit an entry of the log'),
)

/** Why something goes from the log for good. */
export const grounds = z.strictObject({
  reason: wholeReason,
  /** The legal basis. */
  basis: wholeReason,
})

export const aboutPatient = z.strictObject({ patient: patientField, reason: reasonField })
