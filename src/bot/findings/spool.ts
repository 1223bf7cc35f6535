import { randomUUID } from 'node:crypto';
import { constants, copyFile, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprint } from '../../client/transfer.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { CrashReport } from '../../gen/pandafuzz/v1/crash_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';

/** A crash that was found and not yet acknowledged by the master. */
export interface SpoolEntry {
  readonly id: string;
  readonly report: CrashReport;
  /** Path of the crashing input. */
  readonly input: string;
}

const reportFile = 'report.bin';
const inputFile = 'input';
const refusedFolder = 'refused';

/**
 * Crashes waiting to be sent, on disk: they outlive this process and the
 * master's absence. One folder an entry, which gets its name only once it is
 * whole; leaves when the master has acknowledged it, or goes to "refused" when
 * the master will never take it.
 */
export class Spool {
  readonly #entries = new Map<string, SpoolEntry>();
  readonly #changed = new Set<() => void>();

  private constructor(
    private readonly folder: string,
    private readonly log: Logger,
  ) {}

  /** With what an earlier process left behind. */
  static async open(folder: string, log: Logger): Promise<Spool> {
    const spool = new Spool(folder, log);
    await mkdir(join(folder, refusedFolder), { recursive: true });
    for (const name of (await readdir(folder)).sort()) {
      if (name === refusedFolder) continue;
      const path = join(folder, name);
      if (name.endsWith('.part')) await rm(path, { recursive: true, force: true });
      else await spool.#load(name);
    }
    return spool;
  }

  async #load(id: string): Promise<void> {
    const path = join(this.folder, id);
    try {
      const report = CrashReport.decode(await readFile(join(path, reportFile)));
      this.#entries.set(id, { id, report, input: join(path, inputFile) });
    } catch (error) {
      this.log.error({ path, why: messageOf(error) }, 'a kept crash cannot be read; moved aside');
      await rename(path, join(this.folder, refusedFolder, id));
    }
  }

  /** Resolves once the crash is on disk. The input is copied. */
  async add(lease: Lease, input: string, report: string): Promise<SpoolEntry> {
    const id = `${String(Date.now()).padStart(15, '0')}-${randomUUID()}`;
    const path = join(this.folder, id);
    const partial = `${path}.part`;
    await mkdir(partial);
    await copyFile(input, join(partial, inputFile), constants.COPYFILE_FICLONE);
    const { sha256, sizeBytes } = await fingerprint(join(partial, inputFile));
    const about = { inputSha256: sha256, inputSizeBytes: sizeBytes, report };
    const crash: CrashReport = { lease, ...about, context: undefined, hits: 1 };
    const file = await open(join(partial, reportFile), 'w');
    try {
      await file.writeFile(CrashReport.encode(crash).finish());
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    const entry = { id, report: crash, input: join(path, inputFile) };
    this.#entries.set(id, entry);
    this.nudge();
    return entry;
  }

  /** Oldest first. */
  get entries(): readonly SpoolEntry[] {
    return [...this.#entries.values()];
  }

  /** How many crashes of this lease are still here. */
  countOf(lease: Lease): number {
    return this.entries.filter(({ report: { lease: of } }) => isSame(of, lease)).length;
  }

  /** The master has it. */
  async acknowledged(entry: SpoolEntry): Promise<void> {
    await rm(join(this.folder, entry.id), { recursive: true, force: true });
    this.#forget(entry);
  }

  /** The master will never take it; kept for a person to look at. */
  async refused(entry: SpoolEntry, why: string): Promise<void> {
    const aside = join(this.folder, refusedFolder, entry.id);
    const { lease } = entry.report;
    this.log.error(
      { crash: aside, lease, why },
      'the master refused a crash for good; moved aside',
    );
    await rename(join(this.folder, entry.id), aside);
    this.#forget(entry);
  }

  #forget(entry: SpoolEntry): void {
    this.#entries.delete(entry.id);
    this.nudge();
  }

  /** Wakes whoever waits for a change. */
  nudge(): void {
    for (const tell of [...this.#changed]) tell();
  }

  /** Resolves at the next change or nudge, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#changed.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#changed.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

const isSame = (a: Lease | undefined, b: Lease) =>
  a?.jobId === b.jobId && a.attempt === b.attempt && a.fence === b.fence;
