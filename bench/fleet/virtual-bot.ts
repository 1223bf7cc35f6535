import type { ClientHttp2Session } from 'node:http2';
import { newId } from '../../src/core/ids.js';
import {
  type BeatAck,
  type GoAway,
  type JobDoneRefusal,
  LeasePhase,
  type Welcome,
} from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome, JobStatistics } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { HeartbeatWire, type Received } from './wire.js';

/** Events of one bot or of many; `bot` is the one that it happened to. */
export interface BotEvents {
  welcomed?(bot: VirtualBot, welcome: Welcome): void;
  /** An acknowledgement of the beats sent at these times, the oldest first. */
  answered?(bot: VirtualBot, sentAtMs: readonly number[], nextBeatInMs: number): void;
  /** It has taken this job. */
  assigned?(bot: VirtualBot, lease: Lease): void;
  /** The result is on disk. */
  done?(bot: VirtualBot, lease: Lease): void;
  /** The result is not recorded. Thrown as an error where nothing listens. */
  refused?(bot: VirtualBot, lease: Lease, refusal: JobDoneRefusal): void;
  /** The master is about to end the stream. */
  sentAway?(bot: VirtualBot, goAway: GoAway): void;
  /** The stream has ended, on whichever side. */
  left?(bot: VirtualBot): void;
}

/** Figures of the usual size. */
const statistics = JobStatistics.create({
  executions: 12_345_678,
  executionsPerSecond: 8123.5,
  coverage: 2345,
  features: 9876,
  corpusFiles: 512,
  corpusBytes: 345_678,
  peakMemoryBytes: 412_345_678,
  elapsedMs: 1_234_567,
});

/** A bot whose jobs run nowhere: it takes every offer, and ends a job when `finish` is called. */
export class VirtualBot {
  readonly leases = new Map<string, Lease>();
  #wire: HeartbeatWire | undefined;
  #sequence = 0;
  /** Results that are not known to be on disk. */
  #finishing = 0;
  /** Of the beats without an answer, the oldest first. */
  #sentAtMs: number[] = [];

  constructor(
    readonly id: string,
    private readonly slots: number,
    private readonly events: BotEvents,
  ) {}

  /** Sends Hello with every lease it holds, on a new stream. */
  connect(session: ClientHttp2Session): void {
    this.#sequence = 0;
    this.#sentAtMs = [];
    this.#wire = new HeartbeatWire(
      session,
      (message) => this.#receive(message),
      () => this.events.left?.(this),
    );
    const { id: botId, freeSlots } = this;
    const leases = [...this.leases.values()];
    this.#wire.send({ $case: 'hello', value: { botId, instanceId: newId(), freeSlots, leases } });
  }

  get freeSlots(): number {
    return Math.max(this.slots - this.leases.size - this.#finishing, 0);
  }

  beat(): void {
    this.#sentAtMs.push(performance.now());
    const phase = LeasePhase.FUZZING;
    const leases = [...this.leases.values()].map((lease) => ({ lease, phase, statistics }));
    const { freeSlots } = this;
    const value = { sequence: ++this.#sequence, freeSlots, leases, resources: undefined };
    this.#wire?.send({ $case: 'beat', value });
  }

  finish(lease: Lease): void {
    this.leases.delete(lease.jobId);
    this.#finishing++;
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics };
    this.#wire?.send({ $case: 'jobDone', value: { lease, result } });
  }

  leave(): void {
    this.#wire?.close();
  }

  #receive({ $case, value }: Received): void {
    if ($case === 'welcome') this.events.welcomed?.(this, value);
    else if ($case === 'beatAck') this.#answered(value);
    else if ($case === 'goAway') this.events.sentAway?.(this, value);
    else if ($case === 'assign') {
      const lease = value.assignment?.lease as Lease;
      this.leases.set(lease.jobId, lease);
      this.#wire?.send({ $case: 'leaseAck', value: { lease } });
      this.events.assigned?.(this, lease);
    } else if ($case === 'jobDoneAck') {
      const { lease, outcome } = value;
      this.#finishing--;
      if (outcome?.$case === 'receipt') this.events.done?.(this, lease as Lease);
      else if (!outcome || !this.events.refused) throw new Error(outcome?.value.message);
      else this.events.refused(this, lease as Lease, outcome.value);
    }
  }

  /** An acknowledgement stands for all the beats before it. */
  #answered({ sequence, nextBeatInMs }: BeatAck): void {
    const answered = sequence - (this.#sequence - this.#sentAtMs.length);
    this.events.answered?.(this, this.#sentAtMs.splice(0, answered), nextBeatInMs);
  }
}
