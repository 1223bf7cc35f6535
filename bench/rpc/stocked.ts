import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unary } from '../../src/client/call.js';
import { type Connection, connect } from '../../src/client/connect.js';
import { fingerprint, reportCrash } from '../../src/client/transfer.js';
import { newId } from '../../src/core/ids.js';
import { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import type { Bench } from '../bench.js';
import { createJob, engine, registerBots, uploadTarget } from '../fleet/stock.js';
import { eachInFlight } from '../measure.js';
import { type ServerProcess, startMaster } from '../processes.js';
import { fill } from '../store/fill.js';

/** A master that has something of everything, and what a call needs to name of it. */
export interface Stocked {
  readonly master: ServerProcess;
  readonly connection: Connection;
  readonly spec: JobSpec;
  /** Of a job that waits. */
  readonly jobId: string;
  /** Of a bot that has no stream, but pulls jobs. */
  readonly pullingBotId: string;
  /** Of a bot that has no jobs, but may have a stream. */
  readonly beatingBotId: string;
  /** That the former holds, for a day. */
  readonly lease: Lease | undefined;
  readonly databasePath: string;
  /** For files of the load. */
  readonly folder: string;
  stop(): Promise<void>;
}

const crashes = 200;
const crashInputBytes = 16 * 1024;
const dayMs = 86_400_000;

/** `waiting`: jobs that are there from the start. */
export async function startStocked({ folder }: Bench, waiting = 0): Promise<Stocked> {
  const [directory, ours] = [folder(), folder()];
  let master = await startMaster(directory);
  let connection = connect(master.address);
  const spec = await uploadTarget(connection);
  if (waiting > 0) {
    connection.close();
    await master.stop();
    const targetSha256 = spec.targetSha256;
    const job = { engine, targetSha256, targetName: 'bench', spec: specText(spec) };
    fill(directory, waiting, job);
    master = await startMaster(directory);
    connection = connect(master.address);
  }
  const [pullingBotId = '', beatingBotId = ''] = await registerBots(connection, 2, 1);
  await createJob(connection, spec);
  const pulled = { botId: pullingBotId, waitMs: 5000, leaseTtlMs: dayMs };
  const { assignment } = await unary(connection.jobs, connection.jobs.assignJob, pulled);
  const lease = assignment?.lease;
  await eachInFlight(Array.from({ length: crashes }), 8, async () =>
    uploadCrash({ connection, lease }, await prepareCrash(ours)),
  );
  const { id: jobId } = await createJob(connection, spec);
  return {
    ...{ master, connection, spec, jobId, pullingBotId, beatingBotId, lease, folder: ours },
    databasePath: join(directory, 'pandafuzz.db'),
    async stop() {
      connection.close();
      await master.stop();
    },
  };
}

const specText = (spec: JobSpec) => JSON.stringify(JobSpec.toJSON(spec));

/** A crash that nobody has seen, in one of a few dozen places. */
export interface NewCrash {
  readonly report: string;
  readonly inputSha256: string;
  readonly inputSizeBytes: number;
  /** Of the input. */
  readonly path: string;
}

export async function prepareCrash(folder: string): Promise<NewCrash> {
  const path = join(folder, newId());
  const input = randomBytes(crashInputBytes);
  await writeFile(path, input);
  const { sha256: inputSha256, sizeBytes: inputSizeBytes } = await fingerprint(path);
  return { report: reportOf(input.readUInt8() % 32), inputSha256, inputSizeBytes, path };
}

export async function uploadCrash(
  { connection, lease }: Pick<Stocked, 'connection' | 'lease'>,
  { path, ...crash }: NewCrash,
): Promise<void> {
  await reportCrash(connection, { lease, ...crash }, path);
}

const reportOf = (place: number) => `==1==ERROR: AddressSanitizer: heap-buffer-overflow
    #0 0x55e0 in parse_field_${place} /src/target/field.c:${place}:13
    #1 0x55f0 in parse /src/target/parse.c:17:3
    #2 0x5600 in LLVMFuzzerTestOneInput /src/target/fuzz.c:9:3
`;
