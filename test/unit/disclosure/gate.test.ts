import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { gate } from '../../../src/disclosure/gate.ts'
import { releasePublic } from '../../../src/disclosure/release.ts'
import { limits } from '../../../src/limits.ts'

describe('the gate', () => {
  test('turns a response that `release` did not mint into a constant 500, headers and all', async () => {
    const app = new Hono()
    app.use('*', gate(['/public', '/']))
    app.get('/rogue', (c) => c.json({ family: 'Tremblay' }, 200, { 'X-Patient': 'Tremblay' }))
    const response = await app.request('/rogue')
    expect(response.status).toBe(500)
    expect(response.headers.get('x-patient')).toBeNull()
    expect(await response.text()).not.toContain('Tremblay')
  })

  test('lets a minted response pass as it is', async () => {
    const app = new Hono()
    app.use('*', gate(['/public', '/']))
    app.get('/public', () => releasePublic('{"alive":true}'))
    const response = await app.request('/public')
    expect([response.status, await response.text()]).toEqual([200, '{"alive":true}'])
  })

  test('turns a public response away from the public list into a constant 500', async () => {
    const app = new Hono()
    app.use('*', gate(['/public']))
    app.get('/patients', () => releasePublic('Tremblay'))
    const response = await app.request('/patients')
    expect([response.status, (await response.text()).includes('Tremblay')]).toEqual([500, false])
  })

  test('knows folders of the public list, and not what merely begins like one', async () => {
    const app = new Hono()
    app.use('*', gate(['/logs/**']))
    app.get('*', () => releasePublic('public'))
    const statuses = ['/logs/a', '/logs/a/b', '/logs', '/logsx', '/logs-other/a', '/x/logs/a'].map(
      async (path) => (await app.request(path)).status,
    )
    expect(await Promise.all(statuses)).toEqual([200, 200, 500, 500, 500, 500])
  })

  test('refuses with 503 and Retry-After what is past the bound, and admits again once others have left', async () => {
    const app = new Hono()
    app.use('*', gate(['/public', '/']))
    const { promise: door, resolve: open } = Promise.withResolvers<void>()
    app.get('/', async () => {
      await door
      return releasePublic('done')
    })
    const admitted = Array.from({ length: limits.maxConcurrentRequests }, () => app.request('/'))
    const refused = await app.request('/')
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe(String(limits.retryAfterSeconds))
    open()
    expect(new Set((await Promise.all(admitted)).map(({ status }) => status))).toEqual(new Set([200]))
    expect((await app.request('/')).status).toBe(200)
  })
})
