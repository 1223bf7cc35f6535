import { type ChildProcess, spawn } from 'node:child_process';
import { systemClock } from '../core/clock.js';
import { codeOf } from '../core/errors.js';
import { LogTail } from '../core/log-tail.js';

/** For the bot to end after SIGTERM, milliseconds. */
const graceMs = 10_000;
const outputBytes = 64 * 1024;

/** The bot, started by a shell in a process group of its own. */
export class BotProcess {
  readonly #child: ChildProcess;
  readonly #output = new LogTail(outputBytes);
  /** How it ended; undefined while it runs. */
  ending: string | undefined;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;

  constructor(options: {
    command: string;
    environment: NodeJS.ProcessEnv;
    /** What it prints goes to standard error as well. */
    isVerbose: boolean;
    onEnd: () => void;
  }) {
    const { command, environment } = options;
    this.#child = spawn('/bin/sh', ['-c', command], {
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#output.push(bytes);
        if (options.isVerbose) process.stderr.write(bytes);
      });
    }
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    const end = (ending: string) => {
      this.ending ??= ending;
      ended.resolve();
      options.onEnd();
    };
    this.#child.on('error', (error) => end(`could not be started: ${error.message}`));
    this.#child.on('exit', (code, signal) => {
      end(signal ? `ended by ${signal}` : `ended with exit code ${code}`);
    });
  }

  /** The last lines that it printed. */
  get lastLines(): string {
    return this.#output.read(0).data.toString('utf8').trimEnd().split('\n').slice(-5).join('\n');
  }

  /** To the whole group: a shell may stand between. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if (codeOf(error) !== 'ESRCH') throw error;
    }
  }

  /** Asks it to end, and ends it and the rest of its group. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    const timer = systemClock.schedule(graceMs, () => this.signal('SIGKILL'));
    await this.ended;
    timer.cancel();
    this.signal('SIGKILL');
    // What still runs elsewhere and has the pipe keeps nobody waiting.
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }
}
