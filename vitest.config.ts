import { defineConfig } from 'vitest/config'

const NOT_OURS = ['**/node_modules/**', '.runtime/**', 'workspace/**', 'build/**']

/**
 * Tests of the tools. The tests of the labs are not here: they grade a subject, and `npm run author` runs them.
 * What starts real servers is in projects of its own, so that the rest stays quick.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '*.test.ts',
            'harness/**/*.test.ts',
            'checks/grader/**/*.test.ts',
            'cli/**/*.test.ts',
            'site/**/*.test.ts',
          ],
          exclude: [...NOT_OURS, 'harness/test/**', 'checks/grader/test/**', 'site/tests/browser/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'harness',
          include: ['harness/test/**/*.test.ts'],
          exclude: NOT_OURS,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'grader',
          include: ['checks/grader/test/*.test.ts'],
          exclude: NOT_OURS,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['site/tests/browser/**/*.test.ts'],
          exclude: NOT_OURS,
          fileParallelism: false,
          maxConcurrency: 2,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
