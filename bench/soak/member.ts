import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import { Session, type SessionWork } from '../../src/bot/line/session.js';
import { unary } from '../../src/client/call.js';
import { reportCrash } from '../../src/client/transfer.js';
import { newId } from '../../src/core/ids.js';
import { silentLog } from '../../src/core/log.js';
import { RegisterBotRequest } from '../../src/gen/pandafuzz/v1/bot_service.js';
import { BotResources, type JobDone, LeasePhase } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome, JobStatistics } from '../../src/gen/pandafuzz/v1/job.js';
import type { Assignment, Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { engine, type Stage } from '../stage.js';
import type { Tally } from './tally.js';

interface Run {
  readonly lease: Lease;
  executions: number;
  done: JobDone | undefined;
}

/** Jobs of the soak go to scripted bots or to real ones. */
export const scripted = { soak: 'scripted' };
const slots = 2;
const longestRunMs = 1500;
/** A stream is left after a time of up to this, and another one begins. */
const longestStreamMs = 15_000;
const keyOf = ({ jobId, fence }: Lease) => `${jobId}/${fence}`;

/** A bot with the real heartbeat session, whose runs only take time. */
export class Member implements SessionWork {
  readonly #runs = new Map<string, Run>();
  #session: Session | undefined;

  constructor(
    private readonly stage: Stage,
    private readonly name: string,
    private readonly tally: Tally,
    private readonly signal: AbortSignal,
  ) {}

  /** Streams, one after the other, until the signal aborts. */
  async work(): Promise<void> {
    const { bots } = this.stage.connection;
    const instanceId = newId();
    const about = { name: this.name, engines: [engine], slots, labels: scripted, version: '1' };
    const { bot } = await unary(bots, bots.registerBot, RegisterBotRequest.fromPartial(about));
    while (!this.signal.aborted) {
      const call = bots.heartbeat(new Metadata({ waitForReady: true }));
      this.#session = new Session(call, this, {
        identity: { botId: bot?.id ?? '', instanceId },
        resources: () => BotResources.create(),
        onWelcome: () => this.tally.add('streams'),
        log: silentLog,
      });
      const ended = this.#session.ended;
      await Promise.race([ended, this.#pause(Math.random() * longestStreamMs)]);
      // Some say goodbye, some are gone.
      if (Math.random() < 0.5) this.#session.close();
      else call.cancel();
      await ended;
      if (Math.random() < 0.2) this.#runs.clear();
      await this.#pause(Math.random() * 200);
    }
  }

  get free(): number {
    return Math.max(slots - this.#runs.size, 0);
  }

  get leases(): Lease[] {
    return [...this.#runs.values()].map(({ lease }) => lease);
  }

  get statuses() {
    return [...this.#runs.values()].map((run) => {
      run.executions += 1000;
      const statistics = JobStatistics.create({ executions: run.executions });
      return { lease: run.lease, phase: LeasePhase.FUZZING, statistics };
    });
  }

  get done(): JobDone[] {
    return [...this.#runs.values()].flatMap(({ done }) => done ?? []);
  }

  has(lease: Lease): boolean {
    return this.#runs.has(keyOf(lease));
  }

  assign({ lease }: Assignment): 'taken' | 'not now' | { refused: string } {
    if (!lease || this.free === 0) return 'not now';
    if (Math.random() < 0.03) return { refused: 'not this one' };
    const run: Run = { lease, executions: 0, done: undefined };
    this.#runs.set(keyOf(lease), run);
    void this.#run(run);
    return 'taken';
  }

  cancel(lease: Lease): void {
    const run = this.#runs.get(keyOf(lease));
    if (run && !run.done) this.#end(run, JobOutcome.CANCELLED);
  }

  abandon(lease: Lease): void {
    this.#runs.delete(keyOf(lease));
  }

  settle(lease: Lease): void {
    this.#runs.delete(keyOf(lease));
    this.tally.add('results');
    this.#session?.beat();
  }

  async #run(run: Run): Promise<void> {
    await this.#pause(Math.random() * longestRunMs);
    if (Math.random() < 0.3) await this.#crash(run).catch(() => this.tally.add('failed calls'));
    if (run.done || !this.has(run.lease)) return;
    this.#end(run, Math.random() < 0.9 ? JobOutcome.COMPLETED : JobOutcome.FAILED);
  }

  async #crash({ lease }: Run): Promise<void> {
    const bug = `bug_${Math.floor(Math.random() * 20)}`;
    const input = Buffer.from(`${bug} ${Math.random()}`);
    const report = `==1==ERROR: AddressSanitizer: SEGV on unknown address 0x1\n    #0 0x1 in ${bug} /src/a.c:1:1\n`;
    const { connection } = this.stage;
    const inputSha256 = createHash('sha256').update(input).digest('hex');
    const account = { lease, report, inputSha256, inputSizeBytes: input.length };
    await reportCrash(connection, account, input);
    this.tally.add('crashes');
  }

  #end(run: Run, outcome: JobOutcome): void {
    const { lease, executions } = run;
    const result = { outcome, message: '', statistics: JobStatistics.create({ executions }) };
    run.done = { lease, result, logTail: undefined } as JobDone;
    this.#session?.tell(run.done);
  }

  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.signal }).catch(() => {});
  }
}
