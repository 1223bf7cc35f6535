import { expect, test } from '@jest/globals';
import { JobOutcome, type JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import { atEnd } from '../../harness.js';
import { fuzz } from '../fuzzed.js';

test('a bot with a umask that keeps others out still runs targets, as users of their own', async () => {
  const before = process.umask(0o077);
  atEnd(() => {
    process.umask(before);
  });
  const limits = { maxDurationSeconds: 3 } as JobSpec['limits'];
  const fuzzed = await fuzz('no-empty.c', ['-fsanitize=fuzzer', '-DNEWLINE'], {
    ...{ limits, seeds: ['some seed'] },
  });
  const { result } = await fuzzed.peer.next('jobDone');
  expect(result).toMatchObject({ outcome: JobOutcome.COMPLETED });
  expect(result?.statistics?.executions).toBeGreaterThan(0);
});
