/** Members of the bodies and queries of `/access`. */
import { z } from 'zod'
import { limits } from '../limits.ts'

export const noInput = z.strictObject({})

/** `Patient/[server id]`. */
export const patientField = z.string().regex(/^Patient\/[A-Za-z0-9.-]{1,64}$/)

/** Registry ids. */
export const registryId = z.string().min(1).max(limits.maxEntryTextBytes)

/** Words: told to the patient and to the privacy officer. */
export const reasonField = z.string().trim().min(limits.minReasonLength).max(limits.maxReasonLength)

export const aboutPatient = z.strictObject({ patient: patientField, reason: reasonField })
