import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/build.ts'],
    testTimeout: 60_000,
    // Programs that tests start inherit it: what they say is compared as text, in CI too.
    env: { NO_COLOR: '1' },
  },
})
