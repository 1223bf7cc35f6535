import { Worker } from 'node:worker_threads';
import { type Clock, systemClock, type Timer } from '../../../core/clock.js';
import { ShuttingDownError } from '../../../core/errors.js';
import type { Logger } from '../../../core/log.js';
import { signatureVersion } from '../../../crash/signature.js';
import type { CrashReading } from '../../../store/crash-rows.js';
import { type ReportToRead, unknownReading } from './reading.js';

/** A reader of reports: the program of its threads, and the version of what they find. */
export interface ReaderProgram {
  readonly entry: URL;
  readonly version: number;
}

const ourReader: ReaderProgram = {
  entry: new URL('./thread.js', import.meta.url),
  version: signatureVersion,
};

/** Reads crash reports; `Readers` does it on threads. */
export type ReportReader = Pick<Readers, 'version' | 'read' | 'close'>;

export interface ReadersParts {
  readonly log: Logger;
  readonly program?: ReaderProgram;
  readonly threads?: number;
  /** For one report, real time; a hundred times what the reader may take for one. */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

interface Job {
  readonly report: ReportToRead;
  readonly resolve: (reading: CrashReading) => void;
  readonly reject: (error: Error) => void;
  /** It was not read in time once: on a busy machine a thread may take seconds to begin. */
  readonly isSecondTry?: boolean;
}

const memoryMib = 128;
/** How many times longer the second try may take. */
const secondTryFactor = 6;

/**
 * A small pool of threads that read crash reports, so that no report, however hostile,
 * holds up the main thread. Threads are started when there is work. A thread that does not
 * answer in time, or dies, is replaced. Its report is tried once more, after the others, and then
 * counts as unreadable.
 */
export class Readers {
  readonly version: number;
  readonly #queue: Job[] = [];
  readonly #idle: ReaderThread[] = [];
  readonly #all = new Set<ReaderThread>();
  readonly #program: ReaderProgram;
  #closed = false;

  constructor(private readonly parts: ReadersParts) {
    this.#program = parts.program ?? ourReader;
    this.version = this.#program.version;
  }

  /**
   * What there is to read in a report. Rejects only as the master stops.
   *
   * @throws ShuttingDownError
   */
  read(report: ReportToRead): Promise<CrashReading> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new ShuttingDownError());
        return;
      }
      this.#queue.push({ report, resolve, reject });
      this.#dispatch();
    });
  }

  /** Threads that are alive. */
  get threadCount(): number {
    return this.#all.size;
  }

  /** Ends the threads; what is still to be read is refused. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#queue.splice(0)) reject(new ShuttingDownError());
    await Promise.all([...this.#all].map((thread) => thread.end()));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#idle.pop() ?? this.#start();
      if (!thread) return;
      void this.#use(thread, this.#queue.shift() as Job);
    }
  }

  #start(): ReaderThread | undefined {
    if (this.#all.size >= (this.parts.threads ?? 2)) return undefined;
    const thread = new ReaderThread(this.#program.entry);
    this.#all.add(thread);
    void thread.ended.then(() => this.#forget(thread));
    return thread;
  }

  /** A thread that ended between two reports, as of its memory, would not read the next one. */
  #forget(thread: ReaderThread): void {
    this.#all.delete(thread);
    const place = this.#idle.indexOf(thread);
    if (place >= 0) this.#idle.splice(place, 1);
  }

  async #use(thread: ReaderThread, job: Job): Promise<void> {
    const { clock = systemClock, deadlineMs = 5000, log } = this.parts;
    const longestMs = job.isSecondTry ? secondTryFactor * deadlineMs : deadlineMs;
    try {
      job.resolve(await thread.read(job.report, clock, longestMs));
      if (this.#all.has(thread)) this.#idle.push(thread);
    } catch (error) {
      this.#all.delete(thread);
      await thread.end();
      if (this.#closed) job.reject(new ShuttingDownError());
      else if (!job.isSecondTry) this.#queue.push({ ...job, isSecondTry: true });
      else {
        log.warn({ err: error }, 'crash report not readable');
        job.resolve(unknownReading(this.version));
      }
    }
    this.#dispatch();
  }
}

class ReaderThread {
  readonly #worker: Worker;
  readonly ended: Promise<void>;

  constructor(entry: URL) {
    const resourceLimits = { maxOldGenerationSizeMb: memoryMib };
    this.#worker = new Worker(entry, { name: 'crash reader', resourceLimits });
    this.ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    // Each read hears of it as well; between two there is nobody else.
    this.#worker.on('error', () => {});
  }

  read(report: ReportToRead, clock: Clock, deadlineMs: number): Promise<CrashReading> {
    const answered = Promise.withResolvers<CrashReading>();
    const fail = (why: string) => () => answered.reject(new Error(why));
    const onExit = fail('the thread ended');
    const timer: Timer = clock.schedule(deadlineMs, fail('reading took too long'));
    this.#worker.once('message', answered.resolve);
    this.#worker.once('error', answered.reject);
    this.#worker.once('exit', onExit);
    this.#worker.postMessage(report);
    return answered.promise.finally(() => {
      timer.cancel();
      this.#worker.off('message', answered.resolve);
      this.#worker.off('error', answered.reject);
      this.#worker.off('exit', onExit);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
    await this.ended;
  }
}
