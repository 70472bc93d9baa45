/** Reading JSON so that nothing a sender wrote is lost: decimals keep their text (FHIR R4, Datatypes, decimal). */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { type JsonFault, scanJson } from './json-scan.ts'
import type { Issue } from './outcome.ts'

// ES2026 (source text access), not yet in the compiler's library.
declare global {
  interface JSON {
    rawJSON(text: string): object
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown
  }
}

/** A number whose text a double would not give back, e.g. `1.10`: precision is part of its meaning. */
export class Decimal {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
  /** Makes `JSON.stringify` write the text as it was. */
  toJSON(): object {
    return JSON.rawJSON(this.source)
  }
  toString(): string {
    return this.source
  }
}

export type JsonObject = { readonly [name: string]: unknown }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Decimal)
}

/**
 * Parses JSON text. Numbers are numbers where a double says the same, else `Decimal`. The issue says line and column, and
 * the element for a duplicate member.
 */
export function parseJson(text: string): Result<unknown, Issue> {
  const scan = scanJson(text, limits.maxJsonDepth)
  if (!scan.ok) return err(faultIssue(scan.fault, text, scan.offset, scan.path))
  return ok(scan.hasDecimals ? JSON.parse(text, keepDecimal) : JSON.parse(text))
}

function keepDecimal(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined) return value
  return String(value) === context.source ? value : new Decimal(context.source)
}

/** Stored text with line breaks, for people: every value as it was written. */
export const prettyJson = (text: string): string =>
  `${JSON.stringify(JSON.parse(text, keepDecimal), null, 2)}\n`

const faultTexts: Record<JsonFault, { readonly fr: string; readonly en: string }> = {
  malformed: { fr: 'Le JSON est mal formé', en: 'The JSON is malformed' },
  'too-deep': {
    fr: `Le JSON est imbriqué sur plus de ${limits.maxJsonDepth} niveaux`,
    en: `The JSON is nested more than ${limits.maxJsonDepth} levels deep`,
  },
  'duplicate-member': {
    fr: 'Un nom apparaît deux fois dans un objet',
    en: 'A member name appears twice in one object',
  },
  'forbidden-member': { fr: 'Ce nom de membre est interdit', en: 'This member name is not allowed' },
  'invalid-text': { fr: "Le texte n'est pas de l'Unicode valide", en: 'The text is not valid Unicode' },
}

function faultIssue(fault: JsonFault, text: string, offset: number, path: string): Issue {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const column = offset - before.lastIndexOf('\n')
  const { fr, en } = faultTexts[fault]
  return {
    code: fault === 'too-deep' ? 'too-costly' : 'structure',
    ...(path === '' ? {} : { expression: path }),
    text: { fr: `${fr} (ligne ${line}, colonne ${column}).`, en: `${en} (line ${line}, column ${column}).` },
  }
}
