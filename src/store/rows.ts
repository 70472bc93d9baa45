/** Reading rows. */
import type { Row, Rows } from './ports.ts'

export const firstRow = (rows: Rows | undefined): Row | null => rows?.[0] ?? null

export const texts = (rows: Rows | undefined, column: string): readonly string[] =>
  (rows ?? []).map((row) => String(row[column]))

/** Of a column that holds a blob. */
export const bytes = (value: unknown): Uint8Array => new Uint8Array(value as ArrayBuffer)

/** SQLite's 0 and 1. */
export const boolean = (value: unknown): boolean => Number(value) === 1
