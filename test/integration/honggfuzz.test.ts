import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listCrashes, listCrashGroups } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import { buildForHonggfuzz, honggfuzz, honggfuzzFolder } from '../bot/programs/build.js';
import { startedAgent } from '../bot/started-agent.js';
import { atEnd, runMasterFor, temporaryFolder } from '../harness.js';
import { testWith } from '../languages/tools.js';
import { given, jobIn } from '../steps.js';

/** A bot looks for its engines on the PATH. */
function withHonggfuzz(): void {
  const before = process.env['PATH'];
  process.env['PATH'] = `${honggfuzzFolder}:${before}`;
  atEnd(() => {
    process.env['PATH'] = before;
  });
}

describe('honggfuzz', () => {
  testWith(
    honggfuzz,
    'finds what is planted, with the report of a replay, and shares its finds',
    async () => {
      withHonggfuzz();
      const { connection, address } = await runMasterFor({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
      await startedAgent(address, { exchangeIntervalMs: 500 });
      const seeds = join(temporaryFolder(), 'seeds');
      mkdirSync(seeds);
      writeFileSync(join(seeds, 'a seed'), 'O_');
      const [job] = await submitJobs(connection, {
        targetPath: await buildForHonggfuzz('planted.c'),
        seedsPath: seeds,
        isChecked: true,
        spec: JobSpec.fromPartial({
          engine: '',
          limits: { maxDurationSeconds: 120, maxCrashes: 1 },
        }),
        count: 1,
      });
      expect(given(job).spec?.engine).toBe('honggfuzz');
      const done = await jobIn(connection, given(job).id, JobState.COMPLETED);
      expect(done.result?.message).toBe('');
      expect(done.statistics?.executions).toBeGreaterThan(0);
      expect(done.statistics?.coverage).toBeGreaterThan(0);
      const groups = await listCrashGroups(connection, { limit: 10 });
      const bugs = ['ABRT in give_up', 'heap-buffer-overflow in overflow'];
      for (const { kind, topFrame } of groups) expect(bugs).toContain(`${kind} in ${topFrame}`);
      const [first] = await listCrashes(connection, { groupId: '', jobId: done.id, limit: 1 });
      const request = { crashId: given(first).id };
      const { crash } = await unary(connection.crashes, connection.crashes.getCrash, request);
      expect(crash?.context).toMatchObject({
        engine: 'honggfuzz',
        engineVersion: expect.stringMatching(/^honggfuzz 2/),
        replayed: true,
      });
      const corpus = { project: given(done.spec).project, targetName: 'planted' };
      const stats = unary(connection.corpora, connection.corpora.getCorpusStats, corpus);
      expect((await stats).entries).toBeGreaterThan(1);
    },
  );
});
