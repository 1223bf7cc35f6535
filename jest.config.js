import { patienceMs } from './dist/test/patience.js';

/** The tests run as they were compiled: what is tested is what ships. */
export default {
  roots: ['<rootDir>/dist/test'],
  transform: {},
  testSequencer: '<rootDir>/jest.sequencer.js',
  testEnvironment: '<rootDir>/dist/test/environment.js',
  setupFilesAfterEnv: ['<rootDir>/dist/test/cleanup.js'],
  testTimeout: 2 * patienceMs,
  // Test files run side by side in this many processes; each needs a core.
  maxWorkers: 2,
  // Modules of a test file stay in its process when it has ended: with gigabytes of them, collecting
  // garbage takes longer than the tests.
  workerIdleMemoryLimit: '512MB',
};
