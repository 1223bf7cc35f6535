import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { systemClock } from '../../src/core/clock.js';
import { atEnd } from '../endings.js';
import { Process, place, reach } from '../processes.js';
import { check } from './checker/check.js';
import type { Gap, Violation } from './checker/evidence.js';
import { History } from './history/history.js';
import { done, type Kind, type Operation } from './history/operation.js';
import { Load, type LoadOptions } from './load/load.js';
import { pause, stopwatch } from './load/times.js';

/** Work of the master's own would be nobody's request. */
const quiet = {
  PANDAFUZZ_CRASHES_REPRODUCE: 'off',
  PANDAFUZZ_CRASHES_VERIFY: 'off',
  PANDAFUZZ_CORPUS_MERGE: 'off',
  PANDAFUZZ_JOBS_RETRY_DELAY: '0ms',
  PANDAFUZZ_LEASES_TTL: '3s',
  PANDAFUZZ_LEASES_OFFER_TIMEOUT: '2s',
};

const mostBusyMs = 60_000;

/** One master as it ships with its data, a history, and loads on it. */
export class Scene {
  readonly history: History;
  /** Histories of other processes. */
  readonly others: string[] = [];
  /** Settings that are not the row's own, as in the environment. */
  readonly environment: Record<string, string>;
  master: Process | undefined;
  #isUp = false;

  private constructor(
    readonly address: string,
    readonly http: string,
    readonly folder: string,
    environment: Record<string, string>,
    readonly seed: number,
  ) {
    this.environment = { ...environment, ...quiet };
    this.history = new History(join(folder, 'history.jsonl'));
    atEnd(() => this.history.close());
  }

  static async set(seed: number, settings: Record<string, string> = {}): Promise<Scene> {
    const { address, directory, environment } = await place();
    mkdirSync(directory, { recursive: true });
    const http = environment.PANDAFUZZ_HTTP_ADDRESS;
    return new Scene(address, http, directory, { ...environment, ...settings }, seed);
  }

  get data(): string {
    return this.environment['PANDAFUZZ_DATA_DIRECTORY'] as string;
  }

  /** Starts a master, and waits until it answers. @returns milliseconds until then */
  async start(under: readonly string[] = []): Promise<number> {
    const took = stopwatch();
    this.master = new Process(['master'], this.environment, under);
    this.#isUp = true;
    const early = this.master.exited.then(({ code }) => {
      this.#isUp = false;
      throw new Error(`the master ended with ${code}: ${this.master?.said.slice(-2000)}`);
    });
    early.catch(() => {});
    await Promise.race([this.#listens(), early]);
    const connection = await Promise.race([reach(this.address), early]);
    connection.close();
    return took();
  }

  /** Clients wait longer after each refusal: what is measured is the master, and not their pauses. */
  async #listens(): Promise<void> {
    const [host = '', port] = this.address.split(':');
    for (;;) {
      const socket = connect(Number(port), host);
      const isOpen = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (isOpen || !this.#isUp) return;
      await pause(20);
    }
  }

  /** The process is there. */
  get isUp(): boolean {
    return this.#isUp;
  }

  async kill(): Promise<void> {
    this.master?.end('SIGKILL');
    await this.master?.exited;
  }

  /** SIGTERM. @returns milliseconds until it has ended */
  async stop(): Promise<{ ms: number; code: number | null }> {
    const took = stopwatch();
    this.master?.end('SIGTERM');
    const { code = null } = (await this.master?.exited) ?? {};
    return { ms: took(), code };
  }

  load(options: Partial<LoadOptions> = {}): Load {
    const { address, history, seed } = this;
    return new Load({ address, history, seed, ...options });
  }

  /**
   * Waits until so many more of this kind are acknowledged, so that a fault meets a load at work
   * however slow the machine is. @returns whether they were, in a minute
   */
  async busy(kind: Kind, more: number): Promise<boolean> {
    const wanted = this.history.acknowledged(kind) + more;
    const took = stopwatch();
    while (this.history.acknowledged(kind) < wanted && took() < mostBusyMs) await pause(20);
    return this.history.acknowledged(kind) >= wanted;
  }

  /** Marks a fault in the history. @returns when it was */
  mark(what: string): number {
    this.history.note('fault', 'mark', { what }, {});
    return systemClock.now();
  }

  /** Judges what the stopped master left. */
  judge(gap?: Gap): Violation[] {
    return check(this.read(), this.data, gap);
  }

  read(): Operation[] {
    return this.history.read(...this.others);
  }

  get operations(): number {
    return this.read().filter(({ kind }) => kind !== 'mark' && kind !== 'take').length;
  }

  /** The first column of the first row, of the stopped master's database. */
  ask<T>(sql: string, ...values: (string | number)[]): T {
    const database = new Database(join(this.data, 'pandafuzz.db'));
    try {
      return database
        .prepare<(string | number)[], T>(sql)
        .pluck()
        .get(...values) as T;
    } finally {
      database.close();
    }
  }

  /** Of each lease that was lost: milliseconds from the last beat that renewed it. */
  reclaims(): number[] {
    const lastBeats = new Map<string, number>();
    for (const { askedAt, answer } of done(this.read(), 'beat')) {
      for (const { jobId, fence, remainingMs } of answer.leases)
        if (remainingMs > 0) lastBeats.set(`${jobId}/${fence}`, askedAt);
    }
    const database = new Database(join(this.data, 'pandafuzz.db'));
    const lost = database
      .prepare<[], { lease: string; ended_at: number }>(
        "SELECT job_id || '/' || fence AS lease, ended_at FROM attempts WHERE outcome = 'lost'",
      )
      .all();
    database.close();
    return lost.flatMap(({ lease, ended_at }) => {
      const beatAt = lastBeats.get(lease);
      return beatAt === undefined ? [] : [ended_at - beatAt];
    });
  }
}
