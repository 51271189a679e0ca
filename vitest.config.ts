import { defineConfig } from 'vitest/config'

// chDB binds one data directory per process, so every test file that opens the engine gets a process of its own (`forks`).
const engine = { pool: 'forks', isolate: true, testTimeout: 120_000, hookTimeout: 120_000 } as const

// Tests of processes wait for states, each with a limit of its own (rig/until.ts); this one is for a machine that does much else.
const patient = { testTimeout: 900_000, hookTimeout: 900_000 } as const

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], testTimeout: 300_000 } },
      { test: { name: 'sql', include: ['tests/sql/**/*.test.ts'], ...engine } },
      { test: { name: 'scenarios', include: ['tests/scenarios/**/*.test.ts'], ...engine } },
      { test: { name: 'integration', include: ['tests/integration/**/*.test.ts'], ...engine } },
      {
        // One real broker for the run (rig/broker/broker.ts). kafkajs asks for timers in the past; Node warns each time.
        test: {
          name: 'kafka',
          include: ['tests/kafka/**/*.test.ts'],
          exclude: ['tests/kafka/faults.test.ts'],
          globalSetup: ['tests/support/broker-global-setup.ts'],
          execArgv: ['--disable-warning=TimeoutNegativeWarning'],
          ...engine,
          ...patient,
        },
      },
      {
        // Faults on real processes, a broker and an engine of their own: a few minutes, when everything else is done.
        test: {
          name: 'faults',
          include: ['tests/kafka/faults.test.ts'],
          sequence: { groupOrder: 1 },
          execArgv: ['--disable-warning=TimeoutNegativeWarning'],
          ...engine,
          ...patient,
        },
      },
    ],
  },
})
