/** Senders that stall must not hold what readers need. */
import { createConnection, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { startTestCluster, type TestCluster } from './support.ts'

describe('bodies that do not come', () => {
  let t: TestCluster
  const sockets: Socket[] = []

  beforeAll(async () => {
    t = await startTestCluster()
  })

  afterAll(async () => {
    for (const socket of sockets) socket.destroy()
    await t?.end()
  })

  const stall = (token: string): Promise<string> =>
    new Promise((resolve) => {
      const { hostname, port, host } = new URL(t.cluster.url)
      const socket = createConnection(Number(port), hostname)
      sockets.push(socket)
      let answer = ''
      socket.on('data', (data) => {
        answer += data.toString()
        resolve(answer.split('\r\n')[0] as string)
      })
      socket.on('close', () => resolve(answer))
      socket.write(
        `POST /fhir HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/fhir+json\r\nContent-Length: 1000\r\n\r\n{`,
      )
    })

  test('a caller without rights is refused before a byte of the body is waited for', async () => {
    expect(await stall(await t.cluster.token('levesque'))).toContain('403')
    expect(await stall(await t.cluster.token('tremblay'))).toContain('403')
  })

  test('a hundred stalled publications leave readers alone, and are given up', async () => {
    const system = await t.cluster.token('system-hopital-mont-royal')
    const reader = await t.cluster.token('tremblay')
    let answered = 0
    const { promise: othersAnswered, resolve } = Promise.withResolvers<void>()
    const stalled = Array.from({ length: 100 }, async () => {
      const line = await stall(system)
      if (++answered === 100 - limits.maxConcurrentBodies) resolve()
      return line
    })
    await othersAnswered
    expect((await t.get('/fhir/Observation/x', reader)).status).toBe(404)
    expect((await t.get('/healthz', null)).status).toBe(200)
    const statuses = (await Promise.all(stalled)).map((line) => line.split(' ')[1])
    expect(statuses.filter((status) => status === '408').length).toBeLessThanOrEqual(
      limits.maxConcurrentBodies,
    )
    expect(statuses.filter((status) => status === '408').length).toBeGreaterThan(0)
    expect(new Set(statuses)).toEqual(new Set(['408', '503']))
  })
})
