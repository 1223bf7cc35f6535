import { createHash } from 'node:crypto';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import {
  ArtifactServiceService,
  type DownloadArtifactRequest,
  type DownloadArtifactResponse,
} from '../../src/gen/pandafuzz/v1/artifact_service.js';
import { Bot } from '../../src/gen/pandafuzz/v1/bot.js';
import {
  BotServiceService,
  type RegisterBotRequest,
} from '../../src/gen/pandafuzz/v1/bot_service.js';
import {
  type CrashReport,
  CrashServiceService,
  type ReportCrashHitsRequest,
  type ReportCrashRequest,
  ReportCrashResponse,
} from '../../src/gen/pandafuzz/v1/crash_service.js';
import type { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { type DeepPartial, JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import type { Assignment, Lease } from '../../src/gen/pandafuzz/v1/lease.js';

type Said = NonNullable<HeartbeatRequest['message']>;
type SaidOf<Case extends Said['$case']> = Extract<Said, { $case: Case }>['value'];

export const heartbeatIntervalMs = 50;

/** The master's side of one heartbeat stream, moved by the test. Beats are answered by themselves. */
export class Peer {
  readonly #said: Said[] = [];
  #wake = Promise.withResolvers<void>();
  answersBeats = true;
  /** Of its answers to beats; 0: says nothing about it. */
  nextBeatInMs = 0;

  constructor(readonly call: ServerDuplexStream<HeartbeatRequest, HeartbeatResponse>) {
    call.on('error', () => {});
    call.on('data', ({ message }: HeartbeatRequest) => {
      if (!message) return;
      this.#said.push(message);
      if (message.$case === 'beat' && this.answersBeats) this.answer(message.value.sequence);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers<void>();
    });
    call.on('end', () => call.end());
  }

  say(message: HeartbeatResponse['message']): void {
    this.call.write({ message });
  }

  answer(sequence: number, leases: { lease: Lease; remainingTtlMs: number }[] = []): void {
    const renewed = leases.map((lease) => ({ ...lease, cancelRequested: false }));
    const { nextBeatInMs } = this;
    this.say({ $case: 'beatAck', value: { sequence, leases: renewed, nextBeatInMs } });
  }

  welcome(leases: { lease: Lease; keep: boolean }[] = []): void {
    const resumed = leases.map((lease) => ({ ...lease, cancelRequested: false }));
    this.say({
      $case: 'welcome',
      value: { heartbeatIntervalMs, leaseTtlMs: 10_000, leases: resumed },
    });
  }

  assign(assignment: Assignment): void {
    this.say({ $case: 'assign', value: { assignment } });
  }

  /** The next message of this kind that satisfies `wanted`; what comes before it is passed over. */
  async next<Case extends Said['$case']>(
    kind: Case,
    wanted: (value: SaidOf<Case>) => boolean = () => true,
  ): Promise<SaidOf<Case>> {
    for (;;) {
      const message = this.#said.shift();
      if (!message) await this.#wake.promise;
      else if (message.$case === kind && wanted(message.value as SaidOf<Case>)) {
        return message.value as SaidOf<Case>;
      }
    }
  }
}

/** A master that does what the test says, over the real wire. */
export class ScriptedMaster {
  readonly artifacts = new Map<string, Buffer>();
  readonly crashes: { report: CrashReport; input: Buffer }[] = [];
  readonly hits: ReportCrashHitsRequest[] = [];
  readonly registered: RegisterBotRequest[] = [];
  /** How the next reports of crashes fail; none: they are taken. */
  readonly crashFailures: status[] = [];
  downloads = 0;
  readonly #server = new Server();
  readonly #peers: Peer[] = [];
  #wake = Promise.withResolvers<void>();
  port = 0;

  async start(port = 0): Promise<this> {
    this.#server.addService(BotServiceService, {
      registerBot: (call: { request: RegisterBotRequest }, callback: sendUnaryData<unknown>) => {
        this.registered.push(call.request);
        const bot = Bot.fromPartial({ id: '01a209fc-4f9f-70c9-9fc6-b0e45e32b538' });
        callback(null, { bot });
      },
      heartbeat: (call: ServerDuplexStream<HeartbeatRequest, HeartbeatResponse>) => {
        this.#peers.push(new Peer(call));
        this.#announce();
      },
    });
    this.#server.addService(CrashServiceService, {
      reportCrash: (
        call: ServerReadableStream<ReportCrashRequest, ReportCrashResponse>,
        callback: sendUnaryData<ReportCrashResponse>,
      ) => this.#onCrash(call, callback),
      reportCrashHits: (
        call: { request: ReportCrashHitsRequest },
        callback: sendUnaryData<unknown>,
      ) => {
        this.hits.push(call.request);
        callback(null, {});
      },
    });
    this.#server.addService(ArtifactServiceService, {
      downloadArtifact: (
        call: ServerWritableStream<DownloadArtifactRequest, DownloadArtifactResponse>,
      ) => this.#onDownload(call),
    });
    this.port = await new Promise((resolve, reject) => {
      this.#server.bindAsync(
        `127.0.0.1:${port}`,
        ServerCredentials.createInsecure(),
        (error, bound) => (error ? reject(error) : resolve(bound)),
      );
    });
    return this;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  /** The next stream a bot opens, with what it said in its Hello. */
  async nextStream() {
    while (this.#peers.length === 0) await this.#wake.promise;
    const peer = this.#peers.shift() as Peer;
    return { peer, hello: await peer.next('hello') };
  }

  /** Resolves when this many crashes have arrived. */
  async crashesArrived(count: number): Promise<void> {
    while (this.crashes.length < count) await this.#wake.promise;
  }

  addArtifact(content: Buffer | string): string {
    const bytes = Buffer.from(content);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.artifacts.set(sha256, bytes);
    return sha256;
  }

  #announce(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  async #onCrash(
    call: ServerReadableStream<ReportCrashRequest, ReportCrashResponse>,
    callback: sendUnaryData<ReportCrashResponse>,
  ): Promise<void> {
    let report: CrashReport | undefined;
    const chunks: Uint8Array[] = [];
    for await (const { message } of call as AsyncIterable<ReportCrashRequest>) {
      if (message?.$case === 'report') report = message.value;
      if (message?.$case === 'chunk') chunks.push(message.value);
    }
    const code = this.crashFailures.shift();
    if (code !== undefined) callback({ code, details: 'as the test wishes' });
    else {
      if (report) this.crashes.push({ report, input: Buffer.concat(chunks) });
      callback(null, ReportCrashResponse.create());
    }
    this.#announce();
  }

  #onDownload(call: ServerWritableStream<DownloadArtifactRequest, DownloadArtifactResponse>): void {
    this.downloads += 1;
    const { sha256 } = call.request;
    const bytes = this.artifacts.get(sha256);
    if (!bytes) {
      call.emit('error', { code: status.NOT_FOUND, details: 'there is no such artifact' });
      return;
    }
    const artifact = {
      sha256,
      kind: 1,
      name: 'target',
      sizeBytes: bytes.length,
      createdAt: undefined,
    };
    const chunkBytes = 256 * 1024;
    for (let at = 0; at === 0 || at < bytes.length; at += chunkBytes) {
      const chunk = bytes.subarray(at, at + chunkBytes);
      call.write({ artifact: at === 0 ? artifact : undefined, chunk });
    }
    call.end();
  }
}

let jobs = 0;

/** One job for a target of the scripted master. */
export function assignment(targetSha256: string, spec: DeepPartial<JobSpec> = {}): Assignment {
  jobs += 1;
  const jobId = `01a209fc-0000-7000-8000-${String(jobs).padStart(12, '0')}`;
  return {
    lease: { jobId, attempt: 1, fence: 1 },
    spec: JobSpec.fromPartial({
      engine: 'libfuzzer',
      targetName: 'target',
      targetSha256,
      limits: { maxDurationSeconds: 60 },
      ...spec,
    }),
    ttlMs: 10_000,
    secrets: {},
  };
}

/**
 * Speaks as libFuzzer does, and does what $MODE says: "fuzz" until it is told to
 * stop, "crash" with a new input each time, "leave" at once as if its time were
 * up, or be "no fuzzer" at all.
 */
export const pretendedTarget = `#!/bin/sh
for argument; do case $argument in -artifact_prefix=*) prefix=\${argument#*=};; esac; done
[ "$MODE" = "no fuzzer" ] && { echo "usage: frobnicate FILE" >&2; exit 2; }
printf '#2\\tINITED cov: 3 ft: 4 corp: 1/1b exec/s: 0 rss: 27Mb\\n' >&2
case $MODE in
  crash)
    echo "==$$==ERROR: AddressSanitizer: SEGV on unknown address" >&2
    echo "    #0 0x1 in \${FRAME:-broken} /src/a.c:1:2" >&2
    id=$(date +%s%N) # in a namespace of its own each start has the same pid
    printf 'input %s' $id > "\${prefix}crash-$id"
    echo "artifact_prefix='$prefix'; Test unit written to \${prefix}crash-$id" >&2
    exit 77;;
  leave) printf '#2\\tDONE   cov: 3 ft: 4 corp: 1/1b exec/s: 0 rss: 27Mb\\n' >&2; exit 0;;
esac
trap 'exit 72' TERM
tail -f /dev/null &
wait
`;
