import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { systemClock } from '../core/clock.js';
import { newId } from '../core/ids.js';
import { Bot } from '../gen/pandafuzz/v1/bot.js';
import { BotServiceService, type RegisterBotRequest } from '../gen/pandafuzz/v1/bot_service.js';
import {
  HeartbeatRequest,
  type HeartbeatResponse,
  type JobDoneAck,
} from '../gen/pandafuzz/v1/heartbeat.js';
import type { Lease } from '../gen/pandafuzz/v1/lease.js';
import { Changes } from './changes.js';
import { Files } from './files.js';
import type { Findings } from './findings.js';
import type { OfferedJob } from './jobs.js';
import { BotStream } from './stream.js';

/** As `grpc.max_message` of a real master. */
export const mostMessageBytes = 512 * 1024;

type DoneAnswer = JobDoneAck['outcome'];

/** How the master answers, until a check wants it otherwise. */
export interface Manner {
  welcomes: boolean;
  answersBeats: boolean;
  isDraining: boolean;
  /** Undefined: not at all. */
  answerDone: (job: OfferedJob) => DoneAnswer | undefined;
  /** Refuses the next streams with it. */
  refuses: { code: number; details: string } | undefined;
}

/** A receipt: the result is on disk. */
export const receipt = ({ lease }: OfferedJob): DoneAnswer => {
  const { jobId, attempt, fence } = lease;
  const recordedAt = new Date(systemClock.now());
  return { $case: 'receipt', value: { jobId, attempt, fence, recordedAt, state: 4 } };
};

export const usualManner = (): Manner => ({
  welcomes: true,
  answersBeats: true,
  isDraining: false,
  answerDone(job) {
    job.isOver = true;
    return receipt(job);
  },
  refuses: undefined,
});

/** A master with one bot, over the real wire. It keeps nothing and knows only its own jobs. */
export class PlayedMaster {
  readonly changes = new Changes();
  /** Short, so that a check takes no longer than it has to. */
  readonly times = { heartbeatIntervalMs: 250, leaseTtlMs: 20_000 };
  readonly botId = newId();
  readonly registrations: RegisterBotRequest[] = [];
  readonly streams: BotStream[] = [];
  readonly jobs: OfferedJob[] = [];
  readonly files: Files;
  manner = usualManner();
  /** Streams that were refused, by the times of their Hellos. */
  readonly refusedAtMs: number[] = [];
  #server = new Server();
  #port = 0;

  constructor(readonly findings: Findings) {
    this.files = new Files(this);
  }

  readonly now = (): number => systemClock.monotonic();

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get registration(): RegisterBotRequest | undefined {
    return this.registrations.at(-1);
  }

  get slots(): number {
    return this.registration?.slots ?? 0;
  }

  /** The newest stream, if it is open. */
  get stream(): BotStream | undefined {
    const newest = this.streams.at(-1);
    return newest?.isOver ? undefined : newest;
  }

  async start(): Promise<void> {
    const server = new Server({ 'grpc.max_receive_message_length': 16 * 2 ** 20 });
    server.addService(this.#definition(), {
      registerBot: (call: { request: RegisterBotRequest }, callback: sendUnaryData<unknown>) => {
        this.#register(call.request, callback);
      },
      heartbeat: (call: ServerDuplexStream<HeartbeatRequest, HeartbeatResponse | Buffer>) => {
        this.#open(call);
      },
    });
    this.files.addTo(server);
    this.#port = await bind(server, `127.0.0.1:${this.#port}`);
    this.#server = server;
  }

  /** At once, with every connection. `start` listens at the same port again. */
  stop(): void {
    this.#server.forceShutdown();
    for (const stream of this.streams) stream.isOver = true;
  }

  /** Before another process of the bot, which knows none of this. */
  forget(): void {
    for (const list of [this.registrations, this.streams, this.jobs, this.refusedAtMs]) {
      list.length = 0;
    }
    this.manner = usualManner();
  }

  jobOf(lease: Lease | undefined): OfferedJob | undefined {
    return this.jobs.find((job) => job.lease.jobId === lease?.jobId);
  }

  /** The job of a lease that the bot named. Another fence or attempt than it was given is a breach. */
  named(where: string, { jobId, attempt, fence, botId }: Lease): OfferedJob | undefined {
    const job = this.jobOf({ jobId, attempt, fence });
    const given = job?.lease;
    if (!given) this.findings.broken('fences', `${where} names a job that it was never offered`);
    else if (given.fence !== fence) {
      this.findings.broken('fences', `${where} has fence ${fence}; the Assign had ${given.fence}`);
    } else if (given.attempt !== attempt) {
      const why = `${where} has attempt ${attempt}; the Assign had ${given.attempt}`;
      this.findings.broken('fences', why);
    } else if (botId && botId !== this.botId) {
      this.findings.broken('fences', `${where} names another bot in its lease`);
    } else this.findings.kept('fences');
    return job;
  }

  /** Responses may be bytes, for messages that no version knows yet; requests are measured. */
  #definition() {
    const { heartbeat } = BotServiceService;
    return {
      ...BotServiceService,
      heartbeat: {
        ...heartbeat,
        requestDeserialize: (bytes: Buffer): HeartbeatRequest => {
          this.#measure(bytes);
          return HeartbeatRequest.decode(bytes);
        },
        responseSerialize: (value: HeartbeatResponse | Buffer): Buffer =>
          Buffer.isBuffer(value) ? value : heartbeat.responseSerialize(value),
      },
    };
  }

  #measure({ length }: Buffer): void {
    if (length <= mostMessageBytes) this.findings.kept('sizes');
    else this.findings.broken('sizes', `it sent a message of ${length} bytes on the stream`);
  }

  #register(request: RegisterBotRequest, callback: sendUnaryData<unknown>): void {
    this.registrations.push(request);
    callback(null, { bot: Bot.fromPartial({ id: this.botId, name: request.name }) });
    this.changes.wake();
  }

  #open(call: ServerDuplexStream<HeartbeatRequest, HeartbeatResponse | Buffer>): void {
    const refuses = this.manner.refuses;
    if (refuses) {
      call.on('error', () => {});
      call.once('data', () => {
        this.refusedAtMs.push(this.now());
        call.emit('error', refuses);
        this.changes.wake();
      });
      return;
    }
    const stream = new BotStream(call, this);
    this.streams.push(stream);
    this.changes.wake();
  }
}

const bind = (server: Server, address: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
