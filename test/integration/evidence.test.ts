import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Agent } from '../../src/bot/agent.js';
import { unary } from '../../src/client/call.js';
import { silentLog } from '../../src/core/log.js';
import { JobLimits, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listCrashes, listCrashGroups } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import { buildProgram, withAddressSanitizer } from '../bot/programs/build.js';
import { atEnd, runMasterFor, temporaryFolder } from '../harness.js';
import { given, jobIn } from '../steps.js';

/** Seeds that are one byte short of each bug. */
function seedsFor(letters: readonly string[]): string {
  const folder = join(temporaryFolder(), 'seeds');
  mkdirSync(folder);
  for (const letter of letters) writeFileSync(join(folder, letter), letter);
  return folder;
}

test.each([
  ['silenced.c', withAddressSanitizer, ['A', 'B']],
  ['races.cc', ['-fsanitize=fuzzer,thread'], ['R', 'W']],
  ['open-line.c', ['-fsanitize=fuzzer'], ['S', 'I']],
  ['checks.cc', [...withAddressSanitizer, '-lglog'], ['C', 'R']],
])(
  '%s: two bugs become two groups with reports, and its job completes',
  async (source, flags, letters) => {
    const { address, connection } = await runMasterFor();
    const agent = await Agent.start({
      ...{ master: address, name: 'tested', workDir: temporaryFolder(), slots: 1 },
      ...{ labels: {}, exchangeIntervalMs: 0, log: silentLog },
    });
    atEnd(() => agent.stop());
    const [job] = await submitJobs(connection, {
      targetPath: await buildProgram(source, flags),
      seedsPath: seedsFor(letters),
      spec: { engine: 'libfuzzer', limits: JobLimits.fromPartial({ maxDurationSeconds: 8 }) },
      count: 1,
    });
    const { id: jobId } = given(job);
    const { statistics } = await jobIn(connection, jobId, JobState.COMPLETED);
    expect(await listCrashGroups(connection, { limit: 10 })).toHaveLength(2);
    const crashes = await listCrashes(connection, { groupId: '', jobId, limit: 100 });
    expect(statistics?.crashes).toBeGreaterThanOrEqual(crashes.length);
    for (const { id: crashId } of crashes) {
      const { crash } = await unary(connection.crashes, connection.crashes.getCrash, { crashId });
      expect(crash?.report).toMatch(/ #\d+ 0x/);
    }
  },
  60_000,
);
