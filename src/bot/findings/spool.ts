import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import type { Logger } from '../../core/log.js';
import type { CrashContext } from '../../gen/pandafuzz/v1/crash.js';
import { CrashReport } from '../../gen/pandafuzz/v1/crash_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';

/** A crash that was found and not yet acknowledged by the master. */
export interface SpoolEntry {
  readonly id: string;
  readonly report: CrashReport;
  /** Path of the crashing input; its bytes while the disk had no room for it. */
  readonly input: string | Buffer;
  readonly onAcknowledged?: Acknowledged | undefined;
}

/** Called with the master's ids for a crash and for its group. */
export type Acknowledged = (crashId: string, groupId: string) => void;

/** A crash as it was found. */
export interface FoundCrash {
  readonly lease: Lease;
  readonly input: Buffer;
  /** At most 128 KiB of UTF-8. */
  readonly report: string;
  readonly context: CrashContext | undefined;
  /** Times that it was met since the last message about the same distinct crash. */
  readonly hits: number;
  /** The crash that its input was made smaller from. */
  readonly minimisedFrom?: string;
  /** Called unless this process ends before. */
  readonly onAcknowledged?: Acknowledged | undefined;
  /** What tells it from others; '' or left out: its input does. */
  readonly key?: string;
}

/** Crashes that wait for the master at most, and their bytes. */
const defaultBounds = { entries: 20_000, bytes: 2 * 2 ** 30 } as const;

/** Crashes of one run that were dropped to make room for newer ones. */
export interface Dropped {
  /** Of all inputs. */
  readonly inputs: number;
  /** Of those, the last of their kind that the spool had. */
  readonly distinct: number;
}

/** Inputs and reports kept in memory while the disk is full, bytes. */
const mostHeldBytes = 32 * 2 ** 20;

/** Crashes that were refused, kept for a person to look at. */
const mostRefused = 1000;
/** Runs of which it is known what was dropped. */
const mostRuns = 256;

const reportFile = 'report.bin';
const inputFile = 'input';
const refusedFolder = 'refused';

/**
 * Crashes waiting to be sent, on disk: they outlive this process and the
 * master's absence. One folder an entry, which gets its name only once it is
 * whole; leaves when the master has acknowledged it, or goes to "refused" when
 * the master will never take it. Where there are too many, the oldest goes of which there is
 * a newer one that is not distinct from it, and else the oldest.
 */
export class Spool {
  readonly #entries = new Map<string, SpoolEntry>();
  readonly #changed = new Set<() => void>();
  /** How many entries are not distinct from each other, by what is the same. */
  readonly #alike = new Map<string, number>();
  readonly #dropped = new Map<string, Dropped>();
  #sizeBytes = 0;

  private constructor(
    private readonly folder: string,
    private readonly log: Logger,
    private readonly bounds: { readonly entries: number; readonly bytes: number },
  ) {}

  /** With what an earlier process left behind. */
  static async open(
    folder: string,
    log: Logger,
    bounds: { readonly entries: number; readonly bytes: number } = defaultBounds,
  ): Promise<Spool> {
    const spool = new Spool(folder, log, bounds);
    await makeFolder(join(folder, refusedFolder));
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
      this.#enter({ id, report, input: join(path, inputFile) });
    } catch (error) {
      this.log.error({ path, why: messageOf(error) }, 'spooled crash unreadable');
      await rename(path, join(this.folder, refusedFolder, id));
    }
  }

  /**
   * Resolves once the crash is on disk, or in memory where the disk has no room.
   *
   * @param makeRoom called when the disk has no room, before a second try
   * @throws the system's error when memory has no room for it either
   */
  async add(
    found: FoundCrash,
    makeRoom: () => Promise<void> = async () => {},
  ): Promise<SpoolEntry> {
    const { lease, input, report, context, hits, minimisedFrom = '' } = found;
    const kind = kindOf(found);
    const id = `${String(Date.now()).padStart(15, '0')}-${randomUUID()}${kind && `-${kind}`}`;
    const inputSha256 = createHash('sha256').update(input).digest('hex');
    const inputSizeBytes = input.length;
    const about = { lease, inputSha256, inputSizeBytes, report, context, hits, minimisedFrom };
    const crash = CrashReport.create(about);
    const path = join(this.folder, id);
    await this.#makeRoomFor(id, crash);
    const written = await this.#write(path, crash, input)
      .catch(async () => {
        await makeRoom();
        await this.#write(path, crash, input);
      })
      .then(
        () => ({ id, report: crash, input: join(path, inputFile) }),
        (error) => this.#hold(id, crash, input, error),
      );
    const entry = { ...written, onAcknowledged: found.onAcknowledged };
    this.#enter(entry);
    this.nudge();
    return entry;
  }

  #enter(entry: SpoolEntry): void {
    this.#entries.set(entry.id, entry);
    this.#sizeBytes += sizeOf(entry.report);
    const kind = kindIn(entry.id);
    this.#alike.set(kind, (this.#alike.get(kind) ?? 0) + 1);
  }

  /** Drops others until there is room for a crash that comes. */
  async #makeRoomFor(id: string, crash: CrashReport): Promise<void> {
    const coming = kindIn(id);
    const { entries, bytes } = this.bounds;
    while (
      this.#entries.size > 0 &&
      (this.#entries.size >= entries || this.#sizeBytes + sizeOf(crash) > bytes)
    ) {
      const isRepeated = (kind: string) =>
        kind !== '' && (this.#alike.get(kind) ?? 0) + (kind === coming ? 1 : 0) > 1;
      const repeated = this.entries.find((entry) => isRepeated(kindIn(entry.id)));
      const [oldest] = this.entries;
      await this.#drop((repeated ?? oldest) as SpoolEntry, repeated === undefined);
    }
  }

  async #drop(entry: SpoolEntry, isDistinct: boolean): Promise<void> {
    this.#forget(entry);
    const { lease } = entry.report;
    if (lease) {
      const { inputs, distinct } = this.droppedOf(lease);
      const next = { inputs: inputs + 1, distinct: distinct + (isDistinct ? 1 : 0) };
      this.#dropped.set(leaseName(lease), next);
      const [first] = this.#dropped.keys();
      if (this.#dropped.size > mostRuns && first !== undefined) this.#dropped.delete(first);
    }
    this.log.warn({ lease, distinct: isDistinct }, 'crash dropped from full spool');
    await rm(join(this.folder, entry.id), { recursive: true, force: true });
  }

  /** What this process has dropped of a run. */
  droppedOf(lease: Lease): Dropped {
    return this.#dropped.get(leaseName(lease)) ?? { inputs: 0, distinct: 0 };
  }

  async #write(path: string, crash: CrashReport, input: Buffer): Promise<void> {
    const partial = `${path}.part`;
    try {
      await makeFolder(partial);
      await writeDurably(join(partial, inputFile), input);
      await writeDurably(join(partial, reportFile), CrashReport.encode(crash).finish());
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw error;
    }
  }

  #hold(id: string, report: CrashReport, input: Buffer, error: unknown): SpoolEntry {
    const held = this.entries.filter((entry) => typeof entry.input !== 'string');
    const sizeBytes = (one: CrashReport) => one.inputSizeBytes + one.report.length;
    const heldBytes = held.reduce((sum, entry) => sum + sizeBytes(entry.report), 0);
    if (heldBytes + sizeBytes(report) > mostHeldBytes) throw error;
    const { lease } = report;
    this.log.error({ lease, why: messageOf(error) }, 'crash kept in memory');
    return { id, report, input };
  }

  /** Oldest first. */
  get entries(): readonly SpoolEntry[] {
    return [...this.#entries.values()];
  }

  /** Hits of a crash that waits here, as they are known now; returns false for one that is not here. */
  async raiseHits(lease: Lease, inputSha256: string, hits: number): Promise<boolean> {
    const entry = this.entries.find(
      ({ report }) => report.inputSha256 === inputSha256 && isSame(report.lease, lease),
    );
    if (!entry) return false;
    if (entry.report.hits >= hits) return true;
    entry.report.hits = hits;
    const path = join(this.folder, entry.id, reportFile);
    const partial = `${path}.part`;
    await writeDurably(partial, CrashReport.encode(entry.report).finish());
    await rename(partial, path);
    return true;
  }

  /** How many crashes of this lease are still here. */
  countOf(lease: Lease): number {
    return this.entries.filter(({ report: { lease: of } }) => isSame(of, lease)).length;
  }

  /** The master has it, under this id. */
  async acknowledged(entry: SpoolEntry, crashId: string, groupId = ''): Promise<void> {
    entry.onAcknowledged?.(crashId, groupId);
    await rm(join(this.folder, entry.id), { recursive: true, force: true });
    this.#forget(entry);
  }

  /** The master will never take it; kept for a person to look at. */
  async refused(entry: SpoolEntry, why: string): Promise<void> {
    const aside = join(this.folder, refusedFolder, entry.id);
    const { lease } = entry.report;
    this.log.error({ crash: aside, lease, why }, 'crash refused');
    const isDropped = !this.#entries.has(entry.id);
    if (typeof entry.input === 'string' && !isDropped) {
      await rename(join(this.folder, entry.id), aside);
      await this.#pruneRefused();
    }
    this.#forget(entry);
  }

  #forget(entry: SpoolEntry): void {
    if (!this.#entries.delete(entry.id)) return;
    this.#sizeBytes -= sizeOf(entry.report);
    const kind = kindIn(entry.id);
    const left = (this.#alike.get(kind) ?? 1) - 1;
    if (left > 0) this.#alike.set(kind, left);
    else this.#alike.delete(kind);
    this.nudge();
  }

  /** The oldest that were refused go: nobody may ever look. */
  async #pruneRefused(): Promise<void> {
    const folder = join(this.folder, refusedFolder);
    const names = (await readdir(folder)).sort();
    for (const name of names.slice(0, Math.max(names.length - mostRefused, 0))) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }

  /** Ends every wait for a change. */
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

async function writeDurably(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Part of an entry's name: the same for crashes that are not distinct; '' for one by its input. */
function kindOf({ key = '', context, lease }: FoundCrash): string {
  if (key === '') return '';
  const target = context?.targetSha256 || lease.jobId;
  return createHash('sha256').update(`${target}\n${key}`).digest('hex').slice(0, 16);
}

/** After the time and the five parts of a UUID. */
const kindIn = (id: string) => id.split('-')[6] ?? '';

const sizeOf = (crash: CrashReport) => crash.inputSizeBytes + crash.report.length;

const leaseName = ({ jobId, attempt, fence }: Lease) => `${jobId}/${attempt}/${fence}`;

const isSame = (a: Lease | undefined, b: Lease) =>
  a?.jobId === b.jobId && a.attempt === b.attempt && a.fence === b.fence;
