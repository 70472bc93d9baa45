/** The description of the API beside FHIR: OpenAPI 3.1, whole, and made of what is mounted. */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { operations } from '../../../src/app.ts'
import { openApi } from '../../../src/disclosure/openapi.ts'

interface Described {
  readonly operationId: string
  readonly parameters: readonly { readonly name?: string; readonly in?: string; readonly $ref?: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> }
  readonly responses: Readonly<Record<string, object>>
}

const document = openApi('https://record.example', 'en', operations)
const paths = document.paths as Readonly<Record<string, Readonly<Record<string, Described>>>>
const described = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)
const beside = operations.filter(({ path }) => !path.startsWith('/fhir'))

/** Every value in the document, with its place. */
function* everything(value: unknown, at = '#'): Generator<readonly [string, unknown]> {
  yield [at, value]
  if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value)) yield* everything(member, `${at}/${name}`)
}

describe('the description of the API', () => {
  test('tells of every operation beside FHIR, once, and of nothing else', () => {
    expect(described.map(({ operation }) => operation.operationId).sort()).toEqual(
      beside.map(({ name }) => name).sort(),
    )
    expect(new Set(described.map(({ operation }) => operation.operationId)).size).toBe(described.length)
    expect(Object.keys(paths).filter((path) => path.startsWith('/fhir'))).toEqual([])
  })

  test('is OpenAPI 3.1 with JSON Schema 2020-12, complete in itself', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/)
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) })
    for (const [at, value] of everything(document)) {
      if (!at.endsWith('/$ref')) continue
      const target = String(value)
        .slice(2)
        .split('/')
        .reduce<unknown>((found, name) => (found as Readonly<Record<string, unknown>>)?.[name], document)
      expect([at, target]).toEqual([at, expect.any(Object)])
    }
    for (const name of Object.keys((document.components as { securitySchemes: object }).securitySchemes))
      expect(document.security).toContainEqual({ [name]: [] })
  })

  test('declares each parameter of an address exactly once, and each operation’s answers', () => {
    for (const { path, operation } of described) {
      const inPath = operation.parameters.filter((one) => one.in === 'path').map(({ name }) => name)
      expect([path, inPath]).toEqual([path, [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)])
      const named = operation.parameters.map((one) => one.$ref ?? `${one.in} ${one.name}`)
      expect([path, new Set(named).size]).toEqual([path, named.length])
      expect(Object.keys(operation.responses)).toEqual(['2XX', 'default'])
    }
  })

  test('names the query parameters that an operation takes: an unknown one is refused', () => {
    for (const { operation } of described) {
      const mounted = operations.find(({ name }) => name === operation.operationId)
      const told = operation.parameters.filter((one) => one.in === 'query').map(({ name }) => name)
      const refusedAs = (name: string): boolean =>
        mounted?.query
          .safeParse({ [name]: '1' })
          .error?.issues.some(({ code }) => code === 'unrecognized_keys') ?? false
      expect([operation.operationId, told.filter((name) => refusedAs(String(name)))]).toEqual([
        operation.operationId,
        [],
      ])
      expect([operation.operationId, refusedAs('shoe-size')]).toEqual([operation.operationId, true])
    }
  })

  test('has a body for every operation that reads one, of the schemas that it reads it by', () => {
    for (const { method, operation } of described) {
      const mounted = beside.find(({ name }) => name === operation.operationId)
      expect([operation.operationId, operation.requestBody !== undefined]).toEqual([
        operation.operationId,
        method !== 'get',
      ])
      const { $schema: _, ...schema } = z.toJSONSchema(mounted?.bodies?.[0] ?? z.never(), { io: 'input' })
      if (operation.requestBody)
        expect(JSON.stringify(operation.requestBody.content['application/json'])).toContain(
          JSON.stringify(schema),
        )
    }
  })

  test('is in the language asked for', () => {
    expect(openApi('https://record.example', 'fr', operations).info).toMatchObject({
      title: 'Dossier, hors FHIR',
    })
  })
})
