import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from '../../src/client/connect.js';
import { type CrashAccount, reportCrash } from '../../src/client/transfer.js';
import { CrashContext } from '../../src/gen/pandafuzz/v1/crash.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { createJob, pulledLease, uploadTarget } from '../steps.js';
import { atWork } from './at-work.js';

/** What a tool wrote: see test/crash/samples. */
export const sample = (name: string): string =>
  readFileSync(new URL(`../../../test/crash/samples/${name}.txt`, import.meta.url), 'latin1');

const runFolder = '/data/bots/north/runs/1';

/** As a bot's run of libFuzzer has it. */
export const contextOf = (targetSha256: string): CrashContext =>
  CrashContext.create({
    exitCode: 1,
    command: [
      `${runFolder}/target`,
      '-use_value_profile=1',
      '-timeout=25',
      '-max_total_time=60',
      `-artifact_prefix=${runFolder}/artifacts/`,
      `${runFolder}/corpus`,
      `${runFolder}/seeds`,
    ],
    environment: {
      TMPDIR: `${runFolder}/tmp`,
      ASAN_OPTIONS: `symbolize=1:log_path="${runFolder}:x/log":detect_leaks=0:abort_on_error=0`,
    },
    engine: 'libfuzzer',
    engineVersion: 'clang 14.0.6',
    targetSha256,
    executions: 1234,
  });

/** A master with a job under a lease, and `report` to bring crashes to it. */
export async function crashScene(settings: Record<string, string> = {}) {
  const work = await atWork(settings);
  const { connection, folder } = work;
  const target = await uploadTarget(connection);
  const job = await createJob(connection, {
    targetSha256: target.sha256,
    targetName: 'png_fuzzer',
  });
  const lease = await pulledLease(connection);
  const targetSha256 = target.sha256;
  const report = reporter({ connection, folder, lease, targetSha256 });
  return { ...work, job, report, targetSha256 };
}

/** Brings crashes, with the context of a run, unless they have one of their own. */
export function reporter(of: {
  connection: Connection;
  folder: string;
  lease: Lease;
  targetSha256: string;
}) {
  return (text: string, input: string, more: Partial<CrashAccount> = {}) => {
    const path = join(of.folder, 'input');
    writeFileSync(path, input);
    const account: CrashAccount = {
      lease: of.lease,
      report: text,
      inputSizeBytes: Buffer.byteLength(input),
      inputSha256: createHash('sha256').update(input).digest('hex'),
      context: contextOf(of.targetSha256),
      ...more,
    };
    return reportCrash(of.connection, account, path);
  };
}
