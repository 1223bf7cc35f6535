import { join } from 'node:path';
import { newId } from '../../src/core/ids.js';
import { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import type { Bench } from '../bench.js';
import { sendCrash } from '../fleet/crash.js';
import { times } from '../measure.js';
import { engine, Stage } from '../stage.js';
import { fill, idOf } from '../store/fill.js';

/** A master that has something of everything. */
export interface Stocked {
  readonly stage: Stage;
  /** Of a bot that has no stream, for a day. */
  readonly lease: Lease | undefined;
  /** Requests that find something, in the JSON of protobuf, by files of bench/ghz. */
  readonly requests: Readonly<Record<string, object>>;
  /** Sends a crash with an input of the usual size. */
  sendCrash(): Promise<unknown>;
}

const crashes = 200;
const crashInputBytes = 16 * 1024;

/** `waiting`: jobs that are there from the start. */
export const withStocked = <T>(
  bench: Bench,
  waiting: number,
  work: (stocked: Stocked) => Promise<T>,
): Promise<T> =>
  Stage.with(bench, {}, async (stage) => {
    const { spec, connection } = stage;
    const { targetSha256, arguments: options } = spec;
    if (waiting > 0) {
      const text = JSON.stringify(JobSpec.toJSON(spec));
      const job = { engine, targetSha256, targetName: 'bench', spec: text };
      await stage.restart({}, () => fill(stage.master.directory, waiting, job));
    }
    const [botId = ''] = await stage.registerBots(1);
    await stage.createJob();
    const lease = await stage.pullJob(botId);
    const folder = bench.folder();
    const sendOne = () => sendCrash(connection, lease, join(folder, newId()), crashInputBytes);
    await times(crashes, 8, sendOne);
    const deep = Buffer.from(idOf(101)).toString('base64url');
    const requests = {
      'create-job': { spec: { engine, target_sha256: targetSha256, arguments: options } },
      'get-job': { job_id: (await stage.createJob()).id },
      'list-jobs': { page_size: 100 },
      'list-jobs-deep': { page_size: 100, page_token: deep },
    };
    return work({ stage, lease, requests, sendCrash: sendOne });
  });
