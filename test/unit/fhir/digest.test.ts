import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { contentDigest, digest } from '../../../src/fhir/digest.ts'

describe('a digest', () => {
  test.each(['', 'abc', 'Émilie Côté', '{"a":1.10}'])('of %j is the whole SHA-256, base64url', (text) => {
    expect(digest(text)).toBe(createHash('sha256').update(text).digest('base64url'))
  })

  test('of a resource is that of its canonical JSON without what the server sets', () => {
    const resource = {
      resourceType: 'Observation',
      status: 'final',
      id: 'x',
      meta: { versionId: '3', lastUpdated: '2024-01-01T00:00:00Z', source: 's' },
    }
    const text = '{"meta":{"source":"s"},"resourceType":"Observation","status":"final"}'
    expect(contentDigest(resource)).toBe(createHash('sha256').update(text).digest('base64url'))
  })
})
