import { createHash } from 'node:crypto';
import { status as Code, credentials, type ServiceError } from '@grpc/grpc-js';
import { systemClock, type Timer } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { ArtifactServiceClient } from '../../src/gen/pandafuzz/v1/artifact_service.js';
import { BotServiceClient } from '../../src/gen/pandafuzz/v1/bot_service.js';
import { CrashServiceClient } from '../../src/gen/pandafuzz/v1/crash_service.js';
import type {
  HeartbeatRequest,
  HeartbeatResponse,
  JobDone,
} from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome, type JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import type { Assignment, Lease } from '../../src/gen/pandafuzz/v1/lease.js';

/*
 * A bot that runs nothing, and does everything else that docs/protocol.md asks for. Its first argument
 * names the rule that it breaks (src/conformance/rules.ts).
 */

const broken = process.argv[2] ?? '';
const breaks = (rule: string) => broken === rule;
const address = process.env['PANDAFUZZ_MASTER'] ?? '127.0.0.1:50051';
const slots = Number(process.env['PANDAFUZZ_BOT_SLOTS'] ?? '1');
const plain = credentials.createInsecure();
const bots = new BotServiceClient(address, plain);
const artifacts = new ArtifactServiceClient(address, plain);
const crashes = new CrashServiceClient(address, plain);
const instanceId = newId();
const identity = newId();
const pause = (ms: number) => new Promise<void>((done) => systemClock.schedule(ms, done));
const now = () => systemClock.monotonic();

interface Run {
  readonly lease: Lease;
  executions: number;
  isStopped: boolean;
  done?: JobDone;
  postponedUntil: number;
}
const runs = new Map<string, Run>();
let isDraining = false;

async function register(): Promise<string> {
  const request = {
    ...{ name: breaks('register') ? 'a name' : 'test-bot', engines: ['libfuzzer'], slots },
    ...{ labels: {}, version: '1', memoryMib: 0, diskMib: 0, engineDetails: [], identity },
  };
  for (;;) {
    try {
      return await new Promise((resolve, reject) => {
        bots.registerBot(request, (error, answer) =>
          error ? reject(error) : resolve(answer.bot?.id ?? ''),
        );
      });
    } catch {
      await pause(200);
    }
  }
}

const free = () => Math.max((breaks('slots') ? slots + 3 : slots) - runs.size, 0);
const leasesOf = () => [...runs.values()].map(({ lease }) => lease);

class Line {
  readonly #call = bots.heartbeat();
  #sequence = 0;
  #unanswered = 0;
  #timer: Timer | undefined;
  #isOver = false;
  reconnectAfterMs = 0;
  code = Code.OK as number;
  readonly ended = new Promise<void>((resolve) => {
    this.#call.on('error', (error: ServiceError) => {
      this.code = error.code;
      this.#end(resolve);
    });
    this.#call.on('end', () => this.#end(resolve));
  });

  constructor(botId: string) {
    this.#call.on('data', (response: HeartbeatResponse) => this.#hear(response));
    const named = leasesOf().filter(({ jobId }) => !breaks('done-again') || !runs.get(jobId)?.done);
    const leases = breaks('resume') || breaks('restart') ? [] : named;
    this.say({
      $case: 'hello',
      value: {
        botId,
        instanceId: breaks('resume') ? newId() : instanceId,
        freeSlots: free(),
        leases,
      },
    });
    if (breaks('hello')) this.beat();
  }

  say(message: NonNullable<HeartbeatRequest['message']>): void {
    if (!this.#isOver) this.#call.write({ message });
  }

  beat = (): void => {
    this.#timer?.cancel();
    if (this.#unanswered > 3 && !breaks('silence')) this.#call.cancel();
    this.#unanswered += 1;
    this.#sequence += breaks('sequence') && this.#sequence === 1 ? 2 : 1;
    const named = [...runs.values()].filter(
      (_, at) => !breaks('renew') || (this.#sequence + at) % 2,
    );
    const statuses = named.map(({ lease, executions }) => ({
      lease: breaks('fences') ? { ...lease, fence: lease.attempt } : lease,
      phase: executions > 0 ? 2 : 1,
      statistics: { ...emptyStatistics, executions },
    }));
    const freeSlots = isDraining && !breaks('drain') ? 0 : free();
    const fine = { loadAverage: 0, memoryFreeBytes: 0, diskFreeBytes: 0 };
    const resources = breaks('fields') ? { ...fine, loadAverage: -1 } : fine;
    const value = { sequence: this.#sequence, freeSlots, leases: statuses, resources };
    this.say({ $case: 'beat', value });
    for (const run of runs.values()) if (!breaks('done')) this.tell(run);
    if (!breaks('beats') || this.#sequence < 4) this.#timer = systemClock.schedule(1000, this.beat);
  };

  tell(run: Run): void {
    if (run.done && now() >= run.postponedUntil) this.say({ $case: 'jobDone', value: run.done });
  }

  #end(resolve: () => void): void {
    this.#isOver = true;
    this.#timer?.cancel();
    resolve();
  }

  #hear({ message }: HeartbeatResponse): void {
    if (!message) {
      if (breaks('unknown')) this.#call.cancel();
    } else if (message.$case === 'welcome') {
      for (const { lease, keep } of message.value.leases) if (!keep) this.#drop(lease, 'not-kept');
      this.beat();
    } else if (message.$case === 'beatAck') {
      this.#unanswered = 0;
      for (const { lease, remainingTtlMs, cancelRequested } of message.value.leases) {
        if (remainingTtlMs === 0) this.#drop(lease, 'lost');
        else if (cancelRequested && !breaks('cancel-by-beat')) this.#cancel(lease);
      }
      this.#timer?.cancel();
      if (!breaks('beats') || this.#sequence < 4) {
        this.#timer = systemClock.schedule(message.value.nextBeatInMs, this.beat);
      }
    } else if (message.$case === 'assign') this.#assign(message.value.assignment);
    else if (message.$case === 'cancel') this.#cancel(message.value.lease);
    else if (message.$case === 'drain') {
      isDraining = true;
      this.say({ $case: 'drainAck', value: {} });
    } else if (message.$case === 'resume') isDraining = false;
    else if (message.$case === 'goAway') {
      this.reconnectAfterMs = breaks('go-away') ? 0 : message.value.reconnectAfterMs;
      this.#call.end();
    } else if (message.$case === 'jobDoneAck') {
      const { lease, outcome } = message.value;
      const run = runs.get(lease?.jobId ?? '');
      const waitMs = outcome?.$case === 'refusal' ? outcome.value.retryAfterMs : 0;
      if (waitMs > 0 && run) run.postponedUntil = breaks('retry-after') ? 0 : now() + waitMs;
      else if (outcome?.$case === 'receipt' || !breaks('late')) runs.delete(lease?.jobId ?? '');
    }
  }

  #drop(lease: Lease | undefined, rule: string): void {
    // A bot that is deaf on purpose is not to be told by its next beat.
    const isDeaf = breaks(rule) || (rule === 'lost' && (breaks('not-kept') || breaks('late')));
    if (!isDeaf) runs.delete(lease?.jobId ?? '');
  }

  #assign(assignment: Assignment | undefined): void {
    const { lease, spec } = assignment ?? {};
    if (!lease || !spec || breaks('accept')) return;
    if (spec.engine !== 'libfuzzer' && !breaks('reject')) {
      this.say({ $case: 'leaseReject', value: { lease, reason: 'this bot has no such engine' } });
    } else if ((free() > 0 || breaks('capacity')) && spec.engine === 'libfuzzer') {
      const run: Run = { lease, executions: 0, isStopped: false, postponedUntil: 0 };
      runs.set(lease.jobId, run);
      this.say({ $case: 'leaseAck', value: { lease } });
      void work(run, spec);
    }
  }

  #cancel(lease: Lease | undefined): void {
    const run = runs.get(lease?.jobId ?? '');
    if (!run || run.isStopped) return;
    run.isStopped = !breaks('cancel');
    this.say({ $case: 'cancelAck', value: { lease } });
  }
}

const emptyStatistics = {
  ...{ executions: 0, executionsPerSecond: 0, coverage: 0, features: 0, corpusFiles: 0 },
  ...{ corpusBytes: 0, crashes: 0, peakMemoryBytes: 0, elapsedMs: 0, crashInputsKept: 0 },
  ...{ crashHits: 0, executionsEstimate: 0, figuresAgeMs: 0, notes: [], engineStarts: 1 },
  ...{ restartingMs: 0, loadedCoverage: 0 },
};

/** "Runs" a job: fetches its target, and counts until its time is over or it is stopped. */
async function work(run: Run, spec: JobSpec): Promise<void> {
  const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
  const target = await download(spec.targetSha256, run);
  const sha256 = createHash('sha256').update(target).digest('hex');
  if (sha256 !== spec.targetSha256 && !breaks('checksum') && !run.isStopped) {
    Object.assign(result, { outcome: JobOutcome.INFRASTRUCTURE, message: 'the target is damaged' });
  } else if (target.includes('crashes=yes')) {
    await reportCrash(run.lease);
  } else {
    const end = now() + (spec.limits?.maxDurationSeconds ?? 1) * 1000;
    while (now() < end && !run.isStopped) {
      run.executions += 1;
      await pause(100);
    }
  }
  if (run.isStopped) Object.assign(result, { outcome: JobOutcome.CANCELLED, message: 'cancelled' });
  run.done = { lease: run.lease, result };
  if (runs.get(run.lease.jobId) === run) line?.tell(run);
}

async function download(sha256: string, run: Run): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let tries = 0; tries < 20 && !run.isStopped; tries += 1) {
    try {
      const offsetBytes = chunks.reduce((sum, { length }) => sum + length, 0);
      for await (const { chunk } of artifacts.downloadArtifact({ sha256, offsetBytes })) {
        chunks.push(Buffer.from(chunk));
      }
      break;
    } catch {
      if (breaks('download')) break;
      await pause(200);
    }
  }
  return Buffer.concat(chunks);
}

async function reportCrash(lease: Lease): Promise<void> {
  const input = breaks('sizes') ? Buffer.alloc(300_000) : Buffer.from('crash');
  const inputSha256 = createHash('sha256').update(input).digest('hex');
  for (let isStored = false; !isStored; ) {
    isStored = await new Promise((resolve) => {
      const call = crashes.reportCrash((error) => resolve(!error || breaks('crash')));
      const value = {
        ...{ lease, inputSha256, inputSizeBytes: input.length, report: 'SEGV' },
        ...{ context: undefined, hits: 1, minimisedFrom: '' },
      };
      call.write({ message: { $case: 'report', value } });
      call.end({ message: { $case: 'chunk', value: input } });
    });
    if (!isStored) await pause(200);
  }
}

let line: Line | undefined;
process.on('SIGTERM', () => {
  if (!breaks('stop')) process.exit(0);
});
let botId = await register();
for (let failures = 0; ; ) {
  const began = now();
  line = new Line(botId);
  await line.ended;
  failures = now() - began > 1000 ? 0 : failures + 1;
  if (line.code === Code.NOT_FOUND && !breaks('forgotten')) botId = await register();
  const backoffMs = breaks('backoff') ? 1 : Math.min(250 * 2 ** failures, 2000);
  const rivalMs = line.code === Code.ABORTED && !breaks('rival') ? 6000 : 0;
  await pause(Math.max(backoffMs, rivalMs, line.reconnectAfterMs));
}
