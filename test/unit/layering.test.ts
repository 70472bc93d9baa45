/** DESIGN §8: imports point down the list of layers, pure layers stay pure, runtimes stay in their shells. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const source = join(root, 'src')

/** From the top down; `cli` and `local` stand beside the shells, `cli` above `local`. */
const layers = [
  ['worker', 'edge-node', 'cli', 'local'],
  ['app.ts', 'public-documents.ts', 'public-routes.ts'],
  ['console'],
  ['care'],
  ['governance'],
  ['trail'],
  ['records'],
  ['disclosure'],
  ['access'],
  ['audit'],
  ['audit/tlog'],
  ['store'],
  ['fhir'],
  [
    'bounded-body.ts',
    'config.ts',
    'limits.ts',
    'limits-log.ts',
    'limits-search.ts',
    'limits-trail.ts',
    'log-line.ts',
    'result.ts',
    'secure-url.ts',
  ],
]

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.tsx?$/.test(name),
)

const imports = (file: string): readonly string[] =>
  [...readFileSync(join(source, file), 'utf8').matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map(
    (match) => match[1] as string,
  )

/** Without those that are only types. */
const runTimeImports = (file: string): readonly string[] =>
  [
    ...readFileSync(join(source, file), 'utf8').matchAll(
      /^(?:import|export)\s(?!type\b)[^']*\sfrom\s'([^']+)'/gm,
    ),
  ].map((match) => match[1] as string)

function layerOf(file: string): number {
  const tlog = file.startsWith('audit/tlog/')
  const name = tlog ? 'audit/tlog' : (file.split('/')[0] as string)
  return layers.findIndex((layer) => layer.includes(name))
}

const isUnder = (file: string, ...folders: string[]): boolean =>
  folders.some((folder) => file.startsWith(`${folder}/`))

describe('layering', () => {
  test('every source file belongs to a layer', () => {
    expect(files.length).toBeGreaterThan(30)
    expect(files.filter((file) => layerOf(file) === -1)).toEqual([])
  })

  test('imports point down', () => {
    const upward = files.flatMap((file) =>
      imports(file)
        .filter((name) => name.startsWith('.'))
        .map((name) => relative(source, join(source, dirname(file), name)))
        // The command and the cluster may read a manifest or a migration beside src.
        .filter((target) => !target.startsWith('..') && layerOf(target) < layerOf(file))
        .map((target) => `${file} imports ${target}`),
    )
    expect(upward).toEqual([])
  })

  test('of the two beside the shells, the command knows the cluster, never the other way round', () => {
    const backward = files
      .filter((file) => isUnder(file, 'local'))
      .flatMap((file) =>
        imports(file)
          .filter((name) => name.startsWith('.'))
          .map((name) => relative(source, join(source, dirname(file), name)))
          .filter((target) => isUnder(target, 'cli'))
          .map((target) => `${file} imports ${target}`),
      )
    expect(backward).toEqual([])
  })

  test('runtime modules appear only in shells, command and cluster, `node:crypto` also in the audit log', () => {
    const runtime = files
      .filter((file) => !isUnder(file, 'worker', 'edge-node', 'cli', 'local'))
      .flatMap((file) =>
        imports(file)
          .filter(
            (name) =>
              /^(node:|cloudflare:)/.test(name) && !(name === 'node:crypto' && isUnder(file, 'audit')),
          )
          .map((name) => `${file} imports ${name}`),
      )
    expect(runtime).toEqual([])
    const deno = files.filter(
      (file) => !isUnder(file, 'edge-node') && /\bDeno\./.test(readFileSync(join(source, file), 'utf8')),
    )
    expect(deno).toEqual([])
  })

  test('the verifier runs in a browser: it asks nothing of a runtime, nor of a file that does', () => {
    const verifier = files.filter((file) => isUnder(file, 'audit/verify'))
    expect(verifier.length).toBeGreaterThan(20)
    const reached = new Set(verifier)
    for (const file of reached)
      for (const name of runTimeImports(file).filter((imported) => imported.startsWith('.')))
        reached.add(relative(source, join(source, dirname(file), name)))
    const runtime = [...reached].flatMap((file) => [
      ...imports(file).filter((name) => /^(node:|cloudflare:)/.test(name)),
      ...(/^(?!\s*\/?\*).*(?:\bBuffer[.(]|\bprocess\.)/m.test(readFileSync(join(source, file), 'utf8'))
        ? [`${file}: a global`]
        : []),
    ])
    expect(runtime).toEqual([])
  })

  test('features do not know the framework', () => {
    const features = files.filter((file) =>
      isUnder(file, 'console', 'care', 'governance', 'trail', 'records', 'access', 'audit', 'store', 'fhir'),
    )
    const framework = features.flatMap((file) =>
      imports(file)
        .filter(
          (name) =>
            (name === 'hono' || name.startsWith('hono/') || name.startsWith('@hono/')) &&
            !(isUnder(file, 'console') && name.startsWith('hono/jsx')),
        )
        .map((name) => `${file} imports ${name}`),
    )
    expect(framework).toEqual([])
  })

  test('wire format, log formats and policy are pure: no fetch, no clock, no chance, no environment', () => {
    const impure = files
      .filter((file) => isUnder(file, 'fhir', 'audit/tlog') || file === 'access/policy.ts')
      .filter((file) =>
        /\bfetch\(|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.|\bcrypto\./.test(
          readFileSync(join(source, file), 'utf8'),
        ),
      )
    expect(impure).toEqual([])
    const outside = files
      .filter((file) => isUnder(file, 'audit/tlog'))
      .flatMap((file) => imports(file).filter((name) => !name.startsWith('./')))
    expect(outside).toEqual([])
  })

  test('only the audit client mints receipts, and only `release` makes responses', () => {
    const minting = files.filter((file) => /Receipt\.mint\(/.test(readFileSync(join(source, file), 'utf8')))
    expect(minting).toEqual(['audit/client.ts'])
    const responding = files.filter(
      (file) =>
        !isUnder(file, 'local', 'cli') &&
        /new Response\(|Response\.(json|redirect|error)\(/.test(readFileSync(join(source, file), 'utf8')),
    )
    expect(responding).toEqual(['disclosure/release.ts'])
  })
})
