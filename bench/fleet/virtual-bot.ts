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
import { type Heard, HeartbeatWire } from './wire.js';

/** What becomes known to whoever runs the bot. */
export interface BotEvents {
  welcomed?(welcome: Welcome): void;
  /** `count` beats were answered; the oldest of them was sent `tookMs` ago. */
  answered?(count: number, tookMs: number, nextBeatInMs: number): void;
  /** It has taken this job. */
  assigned?(lease: Lease): void;
  /** The result is on disk. */
  done?(lease: Lease): void;
  /** The result is not recorded; an error where nobody is told. */
  refused?(lease: Lease, refusal: JobDoneRefusal): void;
  /** The master is about to end the stream. */
  sentAway?(goAway: GoAway): void;
  /** The stream has ended, whoever ended it. */
  left?(): void;
}

/** As a run tells them: figures of the usual size. */
const statistics = JobStatistics.create({
  ...{ executions: 12_345_678, executionsPerSecond: 8123.5, coverage: 2345, features: 9876 },
  ...{ corpusFiles: 512, corpusBytes: 345_678, peakMemoryBytes: 412_345_678, elapsedMs: 1_234_567 },
});

/** A bot whose jobs run nowhere: it takes what it is offered and ends it when told to. */
export class VirtualBot {
  readonly leases = new Map<string, Lease>();
  #wire: HeartbeatWire | undefined;
  #sequence = 0;
  /** Results that are not known to be on disk. */
  #finishing = 0;
  /** Of the beats without an answer, the oldest first. */
  #sentAt: number[] = [];

  constructor(
    readonly id: string,
    private readonly slots: number,
    private readonly events: BotEvents,
  ) {}

  /** Says Hello with every lease it holds, on a new stream. */
  connect(session: ClientHttp2Session): void {
    this.#sequence = 0;
    this.#sentAt = [];
    this.#wire = new HeartbeatWire(
      session,
      (message) => this.#hear(message),
      () => this.events.left?.(),
    );
    const { id: botId, freeSlots } = this;
    const leases = [...this.leases.values()];
    this.#wire.say({ $case: 'hello', value: { botId, instanceId: newId(), freeSlots, leases } });
  }

  get freeSlots(): number {
    return this.slots - this.leases.size - this.#finishing;
  }

  beat(): void {
    this.#sentAt.push(performance.now());
    const phase = LeasePhase.FUZZING;
    const leases = [...this.leases.values()].map((lease) => ({ lease, phase, statistics }));
    const { freeSlots } = this;
    const value = { sequence: ++this.#sequence, freeSlots, leases, resources: undefined };
    this.#wire?.say({ $case: 'beat', value });
  }

  finish(lease: Lease): void {
    this.leases.delete(lease.jobId);
    this.#finishing++;
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics };
    this.#wire?.say({ $case: 'jobDone', value: { lease, result } });
  }

  leave(): void {
    this.#wire?.close();
  }

  #hear(message: Heard): void {
    switch (message.$case) {
      case 'welcome':
        this.events.welcomed?.(message.value);
        break;
      case 'beatAck':
        this.#answered(message.value);
        break;
      case 'assign': {
        const lease = message.value.assignment?.lease as Lease;
        this.leases.set(lease.jobId, lease);
        this.#wire?.say({ $case: 'leaseAck', value: { lease } });
        this.events.assigned?.(lease);
        break;
      }
      case 'jobDoneAck': {
        const { lease, outcome } = message.value;
        this.#finishing--;
        if (outcome?.$case === 'receipt') this.events.done?.(lease as Lease);
        else if (outcome && this.events.refused) this.events.refused(lease as Lease, outcome.value);
        else throw new Error(`refused: ${outcome?.value.message}`);
        break;
      }
      case 'goAway':
        this.events.sentAway?.(message.value);
        break;
    }
  }

  /** An acknowledgement stands for all the beats before it. */
  #answered({ sequence, nextBeatInMs }: BeatAck): void {
    const count = sequence - (this.#sequence - this.#sentAt.length);
    const sentAt = this.#sentAt[0] ?? 0;
    this.#sentAt.splice(0, count);
    this.events.answered?.(count, performance.now() - sentAt, nextBeatInMs);
  }
}
