/** The configuration of workerd is made from `wrangler.toml` and the bundle. */
import { describe, expect, test } from 'vitest'
import { parseWranglerConfig, workerdConfig } from '../../../src/local/worker-process.ts'

const toml = `name = "dossier"
compatibility_date = "2026-11-02"
compatibility_flags = ["one", "two"]

[[durable_objects.bindings]]
name = "AUDIT_LOG"
class_name = "AuditLogObject"

[[durable_objects.bindings]]
name = "SCHEDULE"
class_name = "ScheduleObject"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["AuditLogObject"]
`

describe('the configuration of workerd', () => {
  test('takes date, flags and objects from wrangler.toml', () => {
    expect(parseWranglerConfig(toml)).toEqual({
      compatibilityDate: '2026-11-02',
      compatibilityFlags: ['one', 'two'],
      objects: [
        { binding: 'AUDIT_LOG', className: 'AuditLogObject' },
        { binding: 'SCHEDULE', className: 'ScheduleObject' },
      ],
    })
  })

  test('refuses a wrangler.toml without a compatibility date', () => {
    expect(() => parseWranglerConfig('name = "dossier"')).toThrow('compatibility_date')
  })

  test('embeds the entry first, data modules by kind, and neither maps nor notes', () => {
    const config = workerdConfig(
      ['README.md', 'aaa-data.bin', 'index.js', 'index.js.map', 'zzz.wasm'],
      parseWranglerConfig(toml),
      ['ID_KEY'],
      8787,
    )
    expect(
      [...config.matchAll(/\(name = "([^"]+)", (\w+) = embed/g)].map(([, name, kind]) => [name, kind]),
    ).toEqual([
      ['index.js', 'esModule'],
      ['aaa-data.bin', 'data'],
      ['zzz.wasm', 'wasm'],
    ])
    expect(config).toContain('(name = "ID_KEY", fromEnvironment = "ID_KEY")')
    expect(config).toContain('(name = "AUDIT_LOG", durableObjectNamespace = "AuditLogObject")')
    expect(config).toContain('address = "127.0.0.1:8787"')
    expect(config).toContain('network = (allow = ["local"])')
  })
})
