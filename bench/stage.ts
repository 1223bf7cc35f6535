import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { unary } from '../src/client/call.js';
import { type Connection, connect } from '../src/client/connect.js';
import { fingerprint, reportCrash, uploadArtifact } from '../src/client/transfer.js';
import { ArtifactKind } from '../src/gen/pandafuzz/v1/artifact.js';
import { RegisterBotRequest } from '../src/gen/pandafuzz/v1/bot_service.js';
import { Job, JobSpec } from '../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../src/gen/pandafuzz/v1/lease.js';
import type { Bench } from './figure.js';
import { eachInFlight } from './measure.js';
import { type ServerProcess, type Settings, startMaster } from './processes.js';

export const engine = 'libfuzzer';
const inFlight = 64;

/** Sets `grpc.fast_path`, which bypasses parts of grpc-js, to off. */
export const plainGrpc: Settings = { PANDAFUZZ_GRPC_FAST_PATH: 'off' };

/** A master with a target, and what a load puts on it: jobs, bots. */
export class Stage {
  private constructor(
    readonly bench: Bench,
    public master: ServerProcess,
    readonly connection: Connection,
    readonly spec: JobSpec,
  ) {}

  static async with<T>(
    bench: Bench,
    settings: Settings,
    work: (stage: Stage) => Promise<T>,
  ): Promise<T> {
    const master = await startMaster(bench.folder(), settings);
    const connection = connect(master.address, bench.connecting?.(master.directory));
    // Any file will do as a target.
    const file = { path: fileURLToPath(import.meta.url), kind: ArtifactKind.TARGET, name: 'bench' };
    const { artifact } = await uploadArtifact(connection, file);
    const options = ['-rss_limit_mb=2048', '-max_len=4096'];
    const targetSha256 = artifact?.sha256 ?? '';
    const spec = JobSpec.create({ engine, targetSha256, arguments: options });
    const stage = new Stage(bench, master, connection, spec);
    return work(stage).finally(() => {
      connection.close();
      return stage.master.stop();
    });
  }

  /** Stops the master and starts it again, at the same address. */
  async restart(settings: Settings, meanwhile = () => {}): Promise<void> {
    await this.master.stop();
    meanwhile();
    await this.#startAgain(settings);
  }

  /** Kills the master and starts it again. @returns milliseconds from its start to its first answer */
  async firstAnswerAfterKill(): Promise<number> {
    await this.master.kill();
    const startedAt = performance.now();
    await this.#startAgain({});
    const { system } = this.connection;
    await unary(system, system.getSystemStats, {});
    return performance.now() - startedAt;
  }

  async #startAgain(settings: Settings): Promise<void> {
    const { address, directory } = this.master;
    const sameAddress = { PANDAFUZZ_GRPC_ADDRESS: address, ...settings };
    this.master = await startMaster(directory, sameAddress);
    this.connection.renew();
  }

  async createJob(more: Partial<JobSpec> = {}): Promise<Job> {
    const { jobs } = this.connection;
    const request = { spec: { ...this.spec, ...more }, requestId: '' };
    return (await unary(jobs, jobs.createJob, request)).job ?? Job.create();
  }

  async createJobs(total: number): Promise<void> {
    await eachInFlight(Array.from({ length: total }), inFlight, () => this.createJob());
  }

  /** Takes a waiting job for a day, for a bot without a stream. */
  async pullJob(botId: string): Promise<Lease | undefined> {
    const { jobs } = this.connection;
    const request = { botId, waitMs: 5000, leaseTtlMs: 86_400_000 };
    return (await unary(jobs, jobs.assignJob, request)).assignment?.lease;
  }

  /** Registers bots of one slot. @returns their ids */
  async registerBots(total: number): Promise<readonly string[]> {
    const { bots } = this.connection;
    const all = Array.from({ length: total });
    const { outputs } = await eachInFlight(all, inFlight, async (_, index) => {
      const about = { name: `bot-${index}`, engines: [engine], slots: 1, version: '1' };
      const { bot } = await unary(bots, bots.registerBot, RegisterBotRequest.create(about));
      return bot?.id ?? '';
    });
    return outputs;
  }
}

/** Writes an input that is new to `path`, and sends it as a crash. @returns milliseconds that took */
export async function sendCrash(
  connection: Connection,
  lease: Lease | undefined,
  path: string,
  inputSizeBytes: number,
): Promise<number> {
  const input = randomBytes(inputSizeBytes);
  await writeFile(path, input);
  const { sha256: inputSha256 } = await fingerprint(path);
  const report = reportOf(input.readUInt8() % 32);
  const startedAt = performance.now();
  await reportCrash(connection, { lease, report, inputSha256, inputSizeBytes }, path);
  return performance.now() - startedAt;
}

/** In one of a few dozen places. */
const reportOf = (place: number) => `==1==ERROR: AddressSanitizer: heap-buffer-overflow
    #0 0x55e0 in parse_field_${place} /src/target/field.c:${place}:13
    #1 0x55f0 in parse /src/target/parse.c:17:3
    #2 0x5600 in LLVMFuzzerTestOneInput /src/target/fuzz.c:9:3
`;
