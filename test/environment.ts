import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import type { EnvironmentContext, JestEnvironmentConfig } from '@jest/environment';
import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';
import { patienceMs } from './patience.js';
import { pause } from './pause.js';

/** How long what is being closed may take to be gone; the fixture of test/leaks sets it, as its leaks stay. */
const settleMs = Number(process.env['SETTLE_MS'] ?? patienceMs);

/**
 * What Node itself keeps open for reporting to the parent process or writing
 * output; and timers, since the runner has some of its own that come and go: those
 * of the tests are counted by themselves.
 */
const ours = new Set([
  'PipeWrap',
  'TTYWrap',
  'FSReqPromise',
  'FSReqCallback',
  'SimpleWriteWrap',
  'Timeout',
  'Immediate',
]);

/**
 * Fails a test file that leaves anything behind: a child process, a worker
 * thread, a timer, a socket or an open file.
 */
export default class LeakCheckedEnvironment extends TestEnvironment {
  readonly #threads = new Set<Worker>();
  readonly #timers = new Set<WeakRef<NodeJS.Timeout>>();
  readonly #before = new Map<string, number>();
  readonly #onWorker = (worker: Worker) => {
    this.#threads.add(worker);
    worker.once('exit', () => this.#threads.delete(worker));
  };

  constructor(config: JestEnvironmentConfig, context: EnvironmentContext) {
    super(config, context);
    process.on('worker', this.#onWorker);
    this.#watchTimers();
  }

  async handleTestEvent(event: Circus.AsyncEvent, state: Circus.State): Promise<void> {
    if (event.name === 'run_start') for (const [what, n] of this.#open()) this.#before.set(what, n);
    if (event.name === 'run_finish') await this.#expectNothingLeft(state);
  }

  override async teardown(): Promise<void> {
    process.off('worker', this.#onWorker);
    await super.teardown();
  }

  /** The timers that code under test sets, by its global functions. */
  #watchTimers(): void {
    const { setTimeout, setInterval } = this.global;
    const watch = <Set extends typeof setTimeout | typeof setInterval>(set: Set) =>
      Object.assign((...args: Parameters<Set>) => {
        const timer = (set as typeof setTimeout)(...(args as Parameters<typeof setTimeout>));
        this.#timers.add(new WeakRef(timer));
        return timer;
      }, set);
    this.global.setTimeout = watch(setTimeout) as typeof setTimeout;
    this.global.setInterval = watch(setInterval) as typeof setInterval;
  }

  /** Still to fire, and holding the process up until they do. */
  #pendingTimers(): string[] {
    return [...this.#timers].flatMap((reference) => {
      const timer = reference.deref() as (NodeJS.Timeout & { _destroyed: boolean }) | undefined;
      if (timer && !timer._destroyed) return timer.hasRef() ? ['timer'] : [];
      this.#timers.delete(reference);
      return [];
    });
  }

  async #expectNothingLeft(state: Circus.State): Promise<void> {
    const patience = AbortSignal.timeout(settleMs);
    await nextTurn(); // a thread is announced one tick after it was made
    let left = this.#left();
    while (left.length > 0 && !patience.aborted) {
      await pause();
      left = this.#left();
    }
    if (left.length === 0) return;
    state.unhandledErrors.push(new Error(`this test file left behind: ${left.join(', ')}`));
  }

  #left(): string[] {
    return [...this.#open()]
      .filter(([what, count]) => count > (this.#before.get(what) ?? 0))
      .map(([what, count]) => `${count - (this.#before.get(what) ?? 0)} x ${what}`);
  }

  #open(): Map<string, number> {
    const found = [
      ...process.getActiveResourcesInfo().filter((kind) => !ours.has(kind)),
      ...[...this.#threads]
        .filter((worker) => worker.threadId !== -1) // -1: it has ended
        .map((worker) => `thread ${worker.threadName || worker.threadId}`),
      ...this.#pendingTimers(),
      ...openFiles(),
      ...childProcesses(),
    ];
    const counts = new Map<string, number>();
    for (const what of found) counts.set(what, (counts.get(what) ?? 0) + 1);
    return counts;
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Regular files this process has open; sockets and pipes are counted as resources. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => linkOf(`/proc/self/fd/${fd}`))
    .filter((path) => path.startsWith('/') && !/^\/(dev|proc)\//.test(path))
    .filter((path) => !path.includes('/node_modules/') && !path.includes('jest'))
    .map((path) => `open file ${path}`);
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed since it was listed
  }
}

function childProcesses(): string[] {
  return readdirSync('/proc/self/task').flatMap((thread) => {
    try {
      const pids = readFileSync(`/proc/self/task/${thread}/children`, 'utf8');
      return pids
        .split(' ')
        .filter(Boolean)
        .map((pid) => `child process ${commandOf(pid)}`);
    } catch {
      return []; // the thread has ended
    }
  });
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return 'that has just ended';
  }
}
