import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unary } from '../../../src/client/call.js';
import { corpusInput, pushCorpus } from '../../../src/client/corpus.js';
import { reportCrash, uploadArtifact } from '../../../src/client/transfer.js';
import { ArtifactKind } from '../../../src/gen/pandafuzz/v1/artifact.js';
import { JobOutcome, JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import { temporaryFolder } from '../../endings.js';
import { given, registerBot } from '../../steps.js';
import { leaseName } from './bot.js';
import type { Setting } from './operator.js';

/**
 * One of each kind of write, in order, each tried once: a target, two jobs, a lease, a crash in a
 * pack and one in a file, inputs of a corpus, a result, a cancel.
 *
 * @throws the first failure
 */
export async function script(
  setting: Omit<Setting, 'over' | 'giveUp' | 'paceMs' | 'runMs'>,
): Promise<void> {
  const { connection, history, chance, name, timeoutMs } = setting;
  const { jobs } = connection;
  const limits = { timeoutMs };
  const stall = { stallMs: timeoutMs };

  const bytes = chance.bytes(10_000);
  const sha256 = hash('sha256', bytes, 'hex');
  const path = join(temporaryFolder(), 'target');
  writeFileSync(path, bytes);
  const file = { path, kind: ArtifactKind.TARGET, name: 'target' };
  await history.record(
    name,
    'upload',
    { sha256 },
    () => uploadArtifact(connection, file, stall),
    () => ({}),
  );

  const create = () => {
    const requestId = chance.uuid();
    const spec = JobSpec.create({ engine: 'libfuzzer', targetSha256: sha256 });
    return history.record(
      name,
      'create',
      { requestId },
      () => unary(jobs, jobs.createJob, { spec, requestId }, limits),
      ({ job }) => ({ jobId: given(job).id }),
    );
  };
  await create();
  const second = given((await create()).job).id;

  const { id: botId } = await registerBot(connection, name);
  // It sends no beats.
  const pull = { botId, waitMs: 3000, leaseTtlMs: 600_000 };
  const { assignment } = await unary(jobs, jobs.assignJob, pull, limits);
  const lease = given(given(assignment).lease);
  history.note(name, 'take', { botId }, leaseName(lease));

  for (const size of [100, 100_000]) {
    const { sha256: inputSha256, bytes: input } = corpusInput(chance.bytes(size));
    const account = { lease, inputSha256, inputSizeBytes: size, report: '' };
    await history.record(
      name,
      'crash',
      { lease: leaseName(lease), sha256: inputSha256 },
      () => reportCrash(connection, account, input, stall),
      ({ crashId }) => ({ crashId }),
    );
  }
  const inputs = [50, 60, 70_000].map((size) => corpusInput(chance.bytes(size)));
  await history.record(
    name,
    'push',
    { lease: leaseName(lease), sha256s: inputs.map((input) => input.sha256) },
    () => pushCorpus(connection, lease, inputs, stall),
    ({ added }) => ({ added }),
  );
  const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
  await history.record(
    name,
    'done',
    { botId, lease: leaseName(lease), outcome: 'completed' },
    () => unary(jobs, jobs.completeJob, { lease, result }, limits),
    ({ receipt }) => ({ state: given(receipt).state }),
  );
  await history.record(
    name,
    'cancel',
    { jobId: second },
    () => unary(jobs, jobs.cancelJob, { jobId: second }, limits),
    ({ job }) => ({ state: given(job).state }),
  );
}
