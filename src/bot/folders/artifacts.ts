import { chmod, link, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../../client/connect.js';
import { failureOf } from '../../client/failure.js';
import { downloadArtifact, fingerprint } from '../../client/transfer.js';
import { systemClock } from '../../core/clock.js';
import { orAbort } from '../../core/context.js';
import { DataLossError, messageOf, StalledError } from '../../core/errors.js';
import { isSha256 } from '../../core/ids.js';
import type { Logger } from '../../core/log.js';
import { executeWithRetry, type RetryPolicy } from '../../core/retry.js';
import { Standstill } from '../../core/standstill.js';

/** Targets and seeds kept beyond those in use, bytes. */
const defaultBudgetBytes = 8 * 2 ** 30;

/** Age at which the beginning of a download is given up, milliseconds. */
const partAgeMs = 24 * 3_600_000;

/** About half a minute of trying. */
const policy: RetryPolicy = { maxRetries: 8, firstDelayMs: 250, maxDelayMs: 10_000, multiplier: 2 };

/**
 * Targets and seeds on this bot's disk, by their SHA-256. Each is downloaded
 * once, even when several runs want it at the same time. The file is linked into
 * a run's folder, so that nothing pruned here is taken away from a run.
 */
export class ArtifactCache {
  readonly #folder: string;
  readonly #connection: Connection;
  readonly #log: Logger;
  readonly #budgetBytes: number;
  readonly #signal: AbortSignal;
  readonly #arriving = new Map<string, Promise<string>>();
  /** Files found to be what their names say, as they were then. */
  readonly #verified = new Map<string, string>();

  constructor(options: {
    folder: string;
    connection: Connection;
    log: Logger;
    /** Ends every download. */
    signal: AbortSignal;
    budgetBytes?: number;
  }) {
    this.#folder = options.folder;
    this.#connection = options.connection;
    this.#log = options.log;
    this.#signal = options.signal;
    this.#budgetBytes = options.budgetBytes ?? defaultBudgetBytes;
  }

  /**
   * Gives the artifact the name `path`, executable and on the same disk.
   *
   * @throws NOT_FOUND and what else the master answers, or RetryExhaustedError
   */
  async place(sha256: string, path: string, signal: AbortSignal): Promise<void> {
    if (!isSha256(sha256)) throw new DataLossError({ why: 'this is no SHA-256 of an artifact' });
    let arriving = this.#arriving.get(sha256);
    if (!arriving) {
      arriving = this.#fetch(sha256).finally(() => this.#arriving.delete(sha256));
      this.#arriving.set(sha256, arriving);
    }
    // A download goes on when one run stops waiting for it: the next will want it.
    await link(await orAbort(signal, arriving), path);
    await this.prune();
  }

  async #fetch(sha256: string): Promise<string> {
    const path = join(this.#folder, sha256);
    if (await this.#isWhole(path, sha256)) {
      const now = new Date();
      await utimes(path, now, now);
    } else {
      this.#log.info({ sha256 }, 'artifact download started');
      const signal = this.#signal;
      const onTrouble = (why: string, forMs: number) =>
        this.#log.warn({ sha256, why, forMs: Math.round(forMs) }, 'artifact download stands still');
      const standstill = new Standstill(systemClock, onTrouble);
      const onRetry = (error: unknown) => standstill.failed(messageOf(error));
      await executeWithRetry(
        { signal, deadline: Number.POSITIVE_INFINITY },
        policy,
        () => downloadArtifact(this.#connection, sha256, path, { signal, onTrouble }),
        { operation: 'download', isRetryable, onRetry },
      );
      const { sha256: arrived } = await fingerprint(path);
      if (arrived !== sha256) {
        await rm(path, { force: true });
        throw new DataLossError({ why: 'the master sent another artifact than was asked for' });
      }
      await chmod(path, 0o555);
    }
    this.#verified.set(sha256, await stateOf(path));
    return path;
  }

  /** Reads the file again only when its length or time of change is not as it was left. */
  async #isWhole(path: string, sha256: string): Promise<boolean> {
    try {
      if (this.#verified.get(sha256) === (await stateOf(path))) return true;
      if ((await fingerprint(path)).sha256 === sha256) return true;
      this.#log.warn({ sha256 }, 'artifact damaged');
      await rm(path, { force: true });
    } catch {
      // Not there.
    }
    return false;
  }

  /** A download that broke off goes on, for a day. */
  async #removeUnlessPart(name: string): Promise<void> {
    const path = join(this.#folder, name);
    const { mtimeMs } = await stat(path);
    const isPart = name.endsWith('.part') && isSha256(name.slice(0, -'.part'.length));
    if (isPart && Date.now() - mtimeMs < partAgeMs) return;
    await rm(path, { force: true, recursive: true });
  }

  /**
   * Removes what was not used for longest, down to the budget, and what was left half done.
   * Runs have names of their own for what they use.
   */
  async prune(budgetBytes: number = this.#budgetBytes): Promise<void> {
    const kept: { name: string; usedAtMs: number; sizeBytes: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      if (this.#arriving.has(name.slice(0, 64))) continue;
      if (!isSha256(name)) await this.#removeUnlessPart(name);
      else {
        const { mtimeMs, size } = await stat(join(this.#folder, name));
        kept.push({ name, usedAtMs: mtimeMs, sizeBytes: size });
      }
    }
    let totalBytes = kept.reduce((sum, file) => sum + file.sizeBytes, 0);
    kept.sort((a, b) => a.usedAtMs - b.usedAtMs);
    const fewest = budgetBytes === 0 ? 0 : 1;
    while (totalBytes > budgetBytes && kept.length > fewest) {
      const oldest = kept.shift() as (typeof kept)[number];
      await rm(join(this.#folder, oldest.name), { force: true });
      this.#verified.delete(oldest.name);
      totalBytes -= oldest.sizeBytes;
    }
  }
}

async function stateOf(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${size} ${mtimeMs}`;
}

/** gRPC codes of a passing trouble: UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE. */
const passing = new Set([2, 4, 8, 10, 13, 14]);

function isRetryable(error: unknown): boolean {
  const failure = failureOf(error);
  if (failure) return passing.has(failure.code);
  return error instanceof DataLossError || error instanceof StalledError;
}
