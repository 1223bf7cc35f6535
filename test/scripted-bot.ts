import { status as Code, type ServiceError } from '@grpc/grpc-js';
import type { Connection } from '../src/client/connect.js';
import { type Failure, failureOf } from '../src/client/failure.js';
import type { HeartbeatRequest, HeartbeatResponse } from '../src/gen/pandafuzz/v1/heartbeat.js';
import { type JobOutcome, JobStatistics } from '../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../src/gen/pandafuzz/v1/lease.js';
import { atEnd } from './endings.js';

type Said = NonNullable<HeartbeatRequest['message']>;
type Heard = NonNullable<HeartbeatResponse['message']>;
type Value<Kind extends Heard['$case']> = Extract<Heard, { $case: Kind }>['value'];

/** A heartbeat stream whose bot says what the test tells it to, and nothing else. */
export class ScriptedBot {
  readonly #call: ReturnType<Connection['bots']['heartbeat']>;
  readonly #heard: Heard[] = [];
  readonly #ended = Promise.withResolvers<Code>();
  #error: ServiceError | undefined;
  #waiting: (() => void)[] = [];
  #sequence = 0;

  constructor(
    connection: Connection,
    private readonly botId: string,
    /** Of its process: streams of one bot are those of one process, unless the test says so. */
    private readonly instanceId = botId,
  ) {
    this.#call = connection.bots.heartbeat();
    this.#call.on('data', ({ message }: HeartbeatResponse) => {
      if (message) this.#heard.push(message);
      this.#wake();
    });
    this.#call.on('error', (error: ServiceError) => {
      this.#error = error;
      this.#end(error.code);
    });
    this.#call.on('end', () => this.#end(Code.OK));
    atEnd(() => this.leave());
  }

  /** The status the stream ended with. */
  get ended(): Promise<Code> {
    return this.#ended.promise;
  }

  /** What the stream was refused with, details included, once it has ended. */
  async failure(): Promise<Failure | undefined> {
    await this.ended;
    return failureOf(this.#error);
  }

  say(message: Said): void {
    this.#call.write({ message });
  }

  async hello(freeSlots: number, leases: Lease[] = []): Promise<Value<'welcome'>> {
    const { botId, instanceId } = this;
    const value = { botId, instanceId, freeSlots, leases };
    this.say({ $case: 'hello', value });
    return this.hear('welcome');
  }

  async beat(
    freeSlots: number,
    leases: Lease[] = [],
    statistics = JobStatistics.create({ executions: 42 }),
  ): Promise<Value<'beatAck'>> {
    const value = {
      sequence: ++this.#sequence,
      freeSlots,
      leases: leases.map((lease) => ({ lease, phase: 2, statistics })),
      resources: undefined,
    };
    this.say({ $case: 'beat', value });
    return this.hear('beatAck');
  }

  /** Takes the next offer. */
  async take(): Promise<Lease> {
    const { assignment } = await this.hear('assign');
    const lease = assignment?.lease as Lease;
    this.say({ $case: 'leaseAck', value: { lease } });
    return lease;
  }

  async done(lease: Lease, outcome: JobOutcome): Promise<Value<'jobDoneAck'>> {
    const result = { outcome, message: 'because', statistics: undefined };
    this.say({ $case: 'jobDone', value: { lease, result } });
    // Several results may be under way on one stream.
    return this.hear('jobDoneAck', ({ lease: of }) => isSame(of, lease));
  }

  /** The next message of this kind that is meant, now or later; others keep their place. */
  async hear<Kind extends Heard['$case']>(
    kind: Kind,
    isMeant: (value: Value<Kind>) => boolean = () => true,
  ): Promise<Value<Kind>> {
    for (;;) {
      const index = this.#heard.findIndex(
        ({ $case, value }) => $case === kind && isMeant(value as Value<Kind>),
      );
      if (index >= 0) return this.#heard.splice(index, 1)[0]?.value as Value<Kind>;
      await Promise.race([
        new Promise<void>((resolve) => this.#waiting.push(resolve)),
        this.ended.then((code) => {
          throw new Error(`the stream ended with ${Code[code]} before ${kind} came`);
        }),
      ]);
    }
  }

  /** Messages of this kind that came and were not asked for. */
  unheard(kind: Heard['$case']): number {
    return this.#heard.filter((message) => message.$case === kind).length;
  }

  leave(): void {
    this.#call.cancel();
  }

  #end(code: Code): void {
    this.#ended.resolve(code);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

const isSame = (a: Lease | undefined, b: Lease): boolean =>
  a?.jobId === b.jobId && a.attempt === b.attempt && a.fence === b.fence;
