import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { generateDefinitions } from './src/local/definitions/generate.ts'

await generateDefinitions()

/** `unit` needs nothing, `worker` runs inside workerd, `cluster` starts real databases and processes. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // By default one core is left alone, of two that is half.
          maxWorkers: '100%',
          // Some read megabytes or try a thousand worlds: a busy machine is not a failure.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          include: ['unit', 'conformance', 'property', 'fault'].map((layer) => `test/${layer}/**/*.test.ts`),
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './test/worker/wrangler.toml' },
            // Whatever the objects call outside is away.
            miniflare: { outboundService: () => new Response('away', { status: 503 }) },
          }),
        ],
        test: { name: 'worker', include: ['test/worker/**/*.test.ts'], testTimeout: 20_000 },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
