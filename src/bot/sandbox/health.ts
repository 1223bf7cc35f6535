import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Clock, systemClock, type Timer } from '../../core/clock.js';
import { codeOf, messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { backoffMs } from '../../core/retry.js';
import type { BotHealth } from '../../gen/pandafuzz/v1/bot.js';

const execute = promisify(execFile);

/** For a program that does nothing, milliseconds: a busy machine takes long. */
const probeTimeoutMs = 20_000;
const backoff = { firstDelayMs: 1000, maxDelayMs: 60_000, multiplier: 2 } as const;
/** What the contract allows, characters. */
const longestProblem = 512;
const longestWarning = 256;
const mostWarnings = 8;

export interface HealthOptions {
  /** Where targets are executed. */
  readonly folder: string;
  /** What works less well than it could. */
  readonly warnings: readonly string[];
  /** Why there is no room for a job; '' where there is. */
  readonly roomProblem: () => string;
  /** Called when the bot can run jobs again, or no longer. */
  readonly onChanged: () => void;
  readonly log: Logger;
  readonly clock?: Clock;
}

/**
 * Whether this machine can run jobs: a program in the work folder is executed.
 * Found out as the bot starts, and after a start that failed by trouble of the machine; while
 * there is a problem, again and again with growing pauses, so that the bot heals by itself.
 */
export class Health {
  #problem = '';
  #failures = 0;
  #again: Timer | undefined;
  #probing: Promise<void> | undefined;
  #isStopped = false;

  private constructor(private readonly options: HealthOptions) {}

  static async observe(options: HealthOptions): Promise<Health> {
    const health = new Health(options);
    await health.check();
    return health;
  }

  get isWell(): boolean {
    return this.#problem === '' && this.options.roomProblem() === '';
  }

  get report(): BotHealth {
    const problem = [this.#problem, this.options.roomProblem()].filter(Boolean).join('; ');
    const warnings = this.options.warnings.slice(0, mostWarnings);
    return {
      problem: singleLine(problem, longestProblem),
      warnings: warnings.map((warning) => singleLine(warning, longestWarning)),
    };
  }

  /** Looks now; a look under way is waited for. */
  check(): Promise<void> {
    this.#probing ??= this.#check().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#again?.cancel();
    await this.#probing;
  }

  async #check(): Promise<void> {
    this.#again?.cancel();
    const { clock = systemClock, log, folder, onChanged } = this.options;
    const before = this.#problem;
    this.#problem = await this.#probe().catch((error) => describe(error, folder));
    if (this.#isStopped) return;
    if (this.#problem === '') this.#failures = 0;
    else {
      this.#failures += 1;
      const delayMs = backoffMs(backoff, this.#failures);
      this.#again = clock.schedule(delayMs, () => void this.check(), { unref: true });
    }
    if (before === this.#problem) return;
    if (this.#problem) log.error({ why: this.#problem }, 'bot unwell');
    else log.info('bot well again');
    onChanged();
  }

  /** @returns what is wrong; '' when the program has run */
  async #probe(): Promise<string> {
    const { folder } = this.options;
    const path = join(folder, `probe-${randomBytes(6).toString('hex')}`);
    try {
      await writeFile(path, '#!/bin/sh\nexit 0\n');
      await chmod(path, 0o755);
      await execute(path, [], { cwd: folder, timeout: probeTimeoutMs, killSignal: 'SIGKILL' });
      return '';
    } finally {
      await rm(path, { force: true }).catch(() => {});
    }
  }
}

const remedies: Readonly<Record<string, string>> = {
  EACCES: 'mount it without "noexec", or give the bot another --work-dir',
  EPERM: 'mount it without "noexec", or give the bot another --work-dir',
  ENOSPC: 'free some room there',
  EDQUOT: 'free some room there, or raise the quota',
  EROFS: 'mount it for writing, or give the bot another --work-dir',
  EAGAIN: 'see "ulimit -u", or end some programs',
  ENOMEM: 'end some programs',
  EMFILE: 'raise the limit of open files (ulimit -n)',
};

function describe(error: unknown, folder: string): string {
  const code = codeOf(error) ?? '';
  const remedy = remedies[code];
  const what = `no program can be run in ${folder}`;
  return remedy ? `${what} (${code}): ${remedy}` : `${what}: ${messageOf(error)}`;
}

/** As the contract allows it. */
const singleLine = (text: string, longest: number): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .slice(0, longest);
