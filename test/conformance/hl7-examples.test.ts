/** HL7's own examples of R4: each is accepted, validation included, and kept as it is, or there is a reason. */
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { comparable, jsonFiles } from '../real-resources.ts'
import { currentRows, openPublisher, refusal, responses } from '../unit/records/publish-support.ts'

const folder = '../shared/data/hl7-r4-examples'

const severalPatients =
  'a Bundle of several patients is about nobody: its one audit entry could not say who was disclosed'
/** Examples that are refused, and why. */
const refused: ReadonlyMap<string, string> = new Map([
  ['Bundle-3a0707d3-549e-4467-b8b8-5a2ab3800efe.json', severalPatients],
  ['Bundle-b248b1b2-1686-4b94-9936-37d7a5f94b51.json', severalPatients],
  ['Bundle-bundle-references.json', severalPatients],
])

/** As one entry: so are types published that have no address of their own for it (AuditEvent, Consent). */
const collectionOf = (text: string): string =>
  `{"resourceType":"Bundle","type":"collection","entry":[{"resource":${text}}]}`

/** Of a JSON text, as written. */
const numbersIn = (json: string): readonly string[] =>
  [...json.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').matchAll(/-?\d[\d.eE+-]*/g)].map(String)

describe.skipIf(!existsSync(folder))('the HL7 R4 examples', () => {
  const all = existsSync(folder) ? jsonFiles(folder) : []
  const reasonOf = (file: string): string | undefined => refused.get(basename(file))

  test('are all there', () => {
    expect(all.length).toBeGreaterThanOrEqual(198)
    expect(all.filter((file) => reasonOf(file) !== undefined)).toHaveLength(refused.size)
  })

  test.each(all.filter((file) => reasonOf(file) === undefined))('%s is kept as it is', async (file) => {
    const publisher = openPublisher()
    const text = readFileSync(file, 'utf8')
    const [entry] = responses(await publisher.publish(collectionOf(text)))
    expect(entry?.status).toBe('201 Created')
    const [row] = currentRows(publisher)
    expect(comparable(JSON.parse(row?.body as string))).toEqual(comparable(JSON.parse(text)))
    expect(numbersIn(row?.body as string)).toEqual(numbersIn(text))
  })

  test.each(all.filter((file) => reasonOf(file) !== undefined).map((file) => [file, reasonOf(file)]))(
    '%s is refused: %s',
    async (file) => {
      const bundle = collectionOf(readFileSync(file ?? '', 'utf8'))
      expect(refusal(await openPublisher().publish(bundle))).toMatchObject({ reason: 'conflict' })
    },
  )
})
