/** What is wrong with input, as zod found it: in both languages, with its place and, of a mistyped name, the right one. */
import * as z from 'zod'
import { unknownName } from '../fhir/nearest.ts'
import type { Issue } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'

export type Fault = z.core.$ZodIssue

/** Of the parameters of an address. @param schema what they were read by */
export function parameterIssues(schema: z.ZodType, faults: readonly Fault[]): readonly Issue[] {
  return faults.slice(0, limits.maxIssues).flatMap((fault) => {
    if (fault.code === 'unrecognized_keys')
      return fault.keys
        .slice(0, limits.maxSearchParameters)
        .map((key) => unknownName(unknown, key, parameterNames(schema)))
    const name = expressionOf(fault.path)
    const { fr, en } = faultText(fault)
    return [
      {
        code: 'value',
        ...(name === '' ? {} : { expression: name }),
        text: { fr: `${name || 'L’adresse'} ${fr}.`, en: `${name || 'The address'} ${en}.` },
      },
    ]
  })
}

const unknown = { fr: 'Paramètre inconnu', en: 'Unknown parameter' }

/** Names that a schema of parameters knows; none of one that takes any. */
function parameterNames(schema: z.ZodType): readonly string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape)
  return schema instanceof z.ZodPipe ? parameterNames(schema.in as z.ZodType) : []
}

/** Goes on after the name of what is wrong. */
export function faultText(fault: Fault): Issue['text'] {
  switch (fault.code) {
    case 'invalid_type':
      return { fr: `doit être de type ${fault.expected}`, en: `must be of type ${fault.expected}` }
    case 'too_big':
      return {
        fr: `dépasse ${fault.maximum}${unit(fault, 'caractères')}`,
        en: `is past ${fault.maximum}${unit(fault, 'characters')}`,
      }
    case 'too_small':
      return {
        fr: `est sous ${fault.minimum}${unit(fault, 'caractères')}`,
        en: `is under ${fault.minimum}${unit(fault, 'characters')}`,
      }
    case 'invalid_value': {
      const values = fault.values.map(String).join(', ')
      return { fr: `doit être un de : ${values}`, en: `must be one of: ${values}` }
    }
    case 'custom': {
      const { fr, en } = (fault.params ?? {}) as Partial<Issue['text']>
      if (fr !== undefined && en !== undefined) return { fr, en }
    }
  }
  return { fr: 'n’a pas la forme requise', en: 'does not have the required form' }
}

const unit = ({ origin }: { readonly origin: string }, ofTexts: string): string =>
  origin === 'string' ? ` ${ofTexts}` : ''

/** `a.b[0].c` */
export const expressionOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (so, part) =>
      typeof part === 'number' ? `${so}[${part}]` : so === '' ? String(part) : `${so}.${String(part)}`,
    '',
  )
