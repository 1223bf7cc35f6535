import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { uploadArtifact } from '../../src/client/transfer.js';
import { ArtifactKind } from '../../src/gen/pandafuzz/v1/artifact.js';
import { type Job, JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { submitJobs } from '../../src/operator/submit.js';
import { importTargets } from '../../src/operator/targets/import.js';
import { startedAgent } from '../bot/started-agent.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { createJob, eventually, given } from '../steps.js';
import { bombOfZeros, fileOf } from '../target/archives.js';
import { dictionary, partedFolder } from '../target/parted.js';

const over = [JobState.COMPLETED, JobState.DEAD, JobState.CANCELLED];

const ended = ({ jobs }: Connection, { id: jobId }: Job) =>
  eventually(async () => {
    const { job } = await unary(jobs, jobs.getJob, { jobId });
    return job && over.includes(job.state) ? job : undefined;
  });

const limits = {
  maxDurationSeconds: 60,
  maxMemoryMib: 0,
  inputTimeoutSeconds: 0,
  maxInputBytes: 0,
  maxCrashes: 1,
};

test('targets go through the master to a bot with all that they need', async () => {
  const { connection, address } = await runMasterFor();
  await startedAgent(address);
  const folder = await partedFolder();
  const submit = async (submission: object): Promise<Job> => {
    const [job] = await submitJobs(connection, {
      spec: { limits },
      isChecked: true,
      count: 1,
      ...submission,
    });
    return ended(connection, given(job));
  };

  // Libraries beside it, and a dictionary of its own: without them it would find nothing.
  writeFileSync(join(folder, 'parted.dict'), dictionary);
  writeFileSync(join(folder, 'parted.options'), '[libfuzzer]\nmax_len = 64\n[asan]\nx=1\n');
  const bundled = await submit({ target: { bundle: folder, executable: '' } });
  expect(bundled).toMatchObject({ state: JobState.COMPLETED, statistics: { crashInputsKept: 1 } });
  expect(bundled.spec).toMatchObject({ executable: 'parted', targetName: 'parted' });

  // The same from an archive, without a path to the library, and with the dictionary by itself.
  const other = await partedFolder([]);
  const archive = join(temporaryFolder(), 'out.tar.gz');
  execFileSync('tar', ['czf', archive, '-C', other, '.']);
  const dictionaryPath = join(temporaryFolder(), 'words.dict');
  writeFileSync(dictionaryPath, dictionary);
  const sent = await submit({
    target: { bundle: archive, executable: 'parted' },
    dictionaryPath,
    spec: { limits, targetName: 'named', project: 'other' },
  });
  expect(sent).toMatchObject({ state: JobState.COMPLETED, statistics: { crashInputsKept: 1 } });
  expect(sent.spec).toMatchObject({ targetName: 'named', project: 'other' });

  // A build output with two fuzzers: each is a target with a bundle of its own.
  copyFileSync(join(folder, 'parted'), join(folder, 'second'));
  mkdirSync(join(folder, 'data'));
  const flags = { master: address, timeout: 60_000, json: true, project: 'oss', check: true };
  expect(await importTargets(flags, folder)).toBe(0);
  const { targets } = connection;
  const page = { project: 'oss', pageSize: 0, pageToken: '' };
  const { targets: listed } = await unary(targets, targets.listTargets, page);
  expect(listed.map(({ name, builds }) => [name, builds])).toEqual([
    ['parted', 1],
    ['second', 1],
  ]);
  const known = await submit({ target: { known: 'parted' }, spec: { limits, project: 'oss' } });
  expect(known).toMatchObject({ state: JobState.COMPLETED, statistics: { crashInputsKept: 1 } });

  // What comes past the door is the archive's fault, and the bot lives on.
  const bomb = { path: fileOf(bombOfZeros()), kind: ArtifactKind.SEEDS, name: 'bomb' };
  const { artifact } = await uploadArtifact(connection, bomb);
  const { targetSha256 = '', executable = '' } = known.spec ?? {};
  const seedsSha256 = given(artifact).sha256;
  const spec = { engine: 'libfuzzer', targetSha256, executable, seedsSha256, maxAttempts: 1 };
  const bombed = await ended(connection, await createJob(connection, JobSpec.create(spec)));
  expect(bombed).toMatchObject({ state: JobState.DEAD });
  expect(bombed.result?.message).toMatch(/the seeds unpack to more than 200 times/);
  const after = await submit({ target: { known: 'second' }, spec: { limits, project: 'oss' } });
  expect(after.state).toBe(JobState.COMPLETED);
});
