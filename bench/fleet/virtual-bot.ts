import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { BotServiceService } from '../../src/gen/pandafuzz/v1/bot_service.js';
import {
  HeartbeatRequest,
  HeartbeatResponse,
  type JobDoneRefusal,
  LeasePhase,
  type Welcome,
} from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome, JobStatistics } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { Frames } from '../../src/rpc/streams/frames.js';

/** Events of one bot or of many; `bot` is the one that it happened to. */
export interface BotEvents {
  welcomed?(bot: VirtualBot, welcome: Welcome): void;
  /** An acknowledgement of the beats sent at these times, the oldest first. */
  answered?(bot: VirtualBot, sentAtMs: readonly number[], nextBeatInMs: number): void;
  assigned?(bot: VirtualBot, lease: Lease): void;
  done?(bot: VirtualBot, lease: Lease): void;
  /** The result is not recorded. Thrown as an error where nothing listens. */
  refused?(bot: VirtualBot, lease: Lease, refusal: JobDoneRefusal): void;
  /** The master is about to end the stream. */
  sentAway?(bot: VirtualBot, reconnectAfterMs: number): void;
  left?(bot: VirtualBot): void;
}

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

/**
 * A bot whose jobs run nowhere: it takes every offer, and ends a job when `finish` is
 * called. Its stream is straight on Node's HTTP/2: a client of grpc-js works about as
 * much as the server it calls, and would be the limit of every figure.
 */
export class VirtualBot {
  readonly leases = new Map<string, Lease>();
  #stream: ClientHttp2Stream | undefined;
  readonly #unsent: Uint8Array[] = [];
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

  /** Sends Hello with every lease it holds, on a new stream. `headers`: besides those of gRPC. */
  connect(session: ClientHttp2Session, headers: Readonly<Record<string, string>> = {}): void {
    this.#sequence = 0;
    this.#sentAtMs = [];
    const frames = new Frames(Number.POSITIVE_INFINITY);
    this.#stream = session.request({
      ...headers,
      ':method': 'POST',
      ':path': BotServiceService.heartbeat.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    this.#stream.on('data', (chunk: Buffer) => {
      frames.add(chunk);
      for (let bytes = frames.next(); bytes; bytes = frames.next()) this.#receive(bytes);
    });
    this.#stream.on('error', () => {}); // its close follows
    this.#stream.once('close', () => this.events.left?.(this));
    const { id: botId, freeSlots } = this;
    const leases = [...this.leases.values()];
    this.#send({ $case: 'hello', value: { botId, instanceId: botId, freeSlots, leases } });
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
    this.#send({ $case: 'beat', value });
  }

  finish(lease: Lease): void {
    this.leases.delete(lease.jobId);
    this.#finishing++;
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics };
    this.#send({ $case: 'jobDone', value: { lease, result } });
  }

  finishAll(): void {
    for (const lease of this.leases.values()) this.finish(lease);
  }

  leave(): void {
    this.#stream?.destroy();
  }

  /** Messages of one turn of the event loop go out together. */
  #send(message: NonNullable<HeartbeatRequest['message']>): void {
    if (this.#unsent.length === 0) {
      queueMicrotask(() => {
        const bytes = Buffer.concat(this.#unsent.splice(0));
        if (!this.#stream?.destroyed) this.#stream?.write(bytes);
      });
    }
    const body = HeartbeatRequest.encode({ message }).finish();
    // gRPC's prefix: one byte "not compressed", four bytes of length.
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(body.length, 1);
    this.#unsent.push(prefix, body);
  }

  #receive(bytes: Uint8Array): void {
    const { message } = HeartbeatResponse.decode(bytes);
    if (message?.$case === 'welcome') this.events.welcomed?.(this, message.value);
    else if (message?.$case === 'beatAck') {
      // It stands for all the beats before it, too.
      const { sequence, nextBeatInMs } = message.value;
      const answered = sequence - (this.#sequence - this.#sentAtMs.length);
      this.events.answered?.(this, this.#sentAtMs.splice(0, answered), nextBeatInMs);
    } else if (message?.$case === 'assign') {
      const lease = message.value.assignment?.lease as Lease;
      this.leases.set(lease.jobId, lease);
      this.#send({ $case: 'leaseAck', value: { lease } });
      this.events.assigned?.(this, lease);
    } else if (message?.$case === 'jobDoneAck') {
      const { lease, outcome } = message.value;
      this.#finishing--;
      if (outcome?.$case === 'receipt') this.events.done?.(this, lease as Lease);
      else if (!outcome || !this.events.refused) throw new Error(outcome?.value.message);
      else this.events.refused(this, lease as Lease, outcome.value);
    } else if (message?.$case === 'goAway') {
      this.events.sentAway?.(this, message.value.reconnectAfterMs);
    }
  }
}
