import {
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../../client/connect.js';
import { corpusEntries } from '../../client/corpora.js';
import { type CorpusInput, type Pulled, pullCorpus } from '../../client/corpus.js';
import { orAbort } from '../../core/context.js';
import { codeOf } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import { isSha256 } from '../../core/ids.js';
import type { CorpusKey } from '../../gen/pandafuzz/v1/corpus_service.js';
import { seedLimits } from './seeds.js';

const _timeoutMs = 10 * 60_000;
/** Inputs written at once, and then noted as there. */
const writtenAtOnce = 64;
/** Between two notes of the cursor on disk, inputs. */
const notedEvery = 2048;
/** Inputs that one pull by SHA-256 asks for. */
const askedAtOnce = 1000;
/** A list that changes while it is read is read again so often. */
const mostReadings = 5;

/** How far a stock has come, as it is on disk. */
interface Note {
  readonly project: string;
  readonly targetName: string;
  readonly revision: number;
  readonly cursor: number;
  /** Of all its inputs. */
  readonly bytes: number;
}

export interface StockParts {
  readonly connection: Connection;
  readonly folder: string;
  readonly corpus: CorpusKey;
  /** Ends every call. */
  readonly signal: AbortSignal;
}

/**
 * The corpus of one target on this bot's disk, as far as it was brought: files named by their
 * SHA-256, which outlive the run and the process. All runs of the target share it, so each
 * input is brought once. A note has the cursor from which to go on. It is written after the
 * inputs: a bot that was killed brings some of them again.
 */
export class Stock {
  readonly #inputs: Set<string>;
  /** Every input in the order in which it came, with those that have left since. */
  readonly #arrivals: string[];
  readonly #listeners = new Set<() => void>();
  #bytes: number;
  #refreshing: Promise<void> | undefined;
  #sinceNote = 0;
  #revision: number;
  #cursor: number;

  private constructor(
    private readonly parts: StockParts,
    inputs: Set<string>,
    note: Note,
  ) {
    this.#inputs = inputs;
    this.#arrivals = [...inputs];
    this.#bytes = note.bytes;
    this.#revision = note.revision;
    this.#cursor = note.cursor;
  }

  /** With what an earlier run, or an earlier process, has brought. */
  static async open(parts: StockParts): Promise<Stock> {
    const { folder, corpus } = parts;
    await makeFolder(join(folder, 'inputs'));
    const note = await readNote(folder, corpus);
    const inputs = new Set<string>();
    if (note.cursor === 0) {
      // A note that is damaged says nothing about the files.
      await rm(join(folder, 'inputs'), { recursive: true, force: true });
      await mkdir(join(folder, 'inputs'));
    }
    for (const name of await readdir(join(folder, 'inputs'))) {
      if (isSha256(name)) inputs.add(name);
      else await rm(join(folder, 'inputs', name), { force: true });
    }
    return new Stock(parts, inputs, note);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get revision(): number {
    return this.#revision;
  }

  get cursor(): number {
    return this.#cursor;
  }

  /** Inputs in the order in which they came; those that left meanwhile included. */
  get arrivals(): readonly string[] {
    return this.#arrivals;
  }

  has(sha256: string): boolean {
    return this.#inputs.has(sha256);
  }

  get size(): number {
    return this.#inputs.size;
  }

  /** Calls `listener` each time that inputs have come. @returns what ends it */
  onArrival(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Gives the input another name.
   *
   * @returns false: it has left
   */
  async place(sha256: string, path: string): Promise<boolean> {
    if (!this.has(sha256)) return false;
    try {
      await link(this.#pathOf(sha256), path);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return true;
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Takes in an input that is on this disk, and that the master has. */
  async adopt(sha256: string, path: string, sizeBytes: number): Promise<void> {
    if (this.has(sha256) || this.#isFull) return;
    try {
      await link(path, this.#pathOf(sha256));
      this.#note(sha256, sizeBytes);
    } catch (error) {
      // Removed by the engine meanwhile, or brought: it comes with the next pull.
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
    }
  }

  /**
   * Brings what is new. Callers at the same time share one pull; it goes on when one of them
   * stops waiting for it.
   *
   * @throws what the master answers
   */
  refresh(signal: AbortSignal): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return orAbort(signal, this.#refreshing);
  }

  async #refresh(): Promise<void> {
    for (let reading = 0; reading < mostReadings; reading++) {
      let other = 0;
      const onRevision = (revision: number) => {
        if (this.#revision === 0) this.#revision = revision;
        else if (revision !== this.#revision) other = revision;
      };
      const { corpus } = this.parts;
      await this.#pull(
        { ...corpus, cursor: this.#cursor, revision: this.#revision },
        (cursor) => {
          this.#cursor = cursor;
        },
        onRevision,
      );
      if (other === 0 || (await this.#readAnew())) return;
    }
  }

  async #pull(
    pulled: Pulled,
    onWritten: (cursor: number) => void,
    onRevision: (revision: number) => void,
  ): Promise<void> {
    const { connection, signal } = this.parts;
    let batch: (CorpusInput & { readonly cursor: number })[] = [];
    const write = async () => {
      await Promise.all(batch.map((input) => this.#keep(input)));
      const last = batch.at(-1);
      if (last) onWritten(last.cursor);
      batch = [];
      this.#tell();
      if (this.#sinceNote >= notedEvery) await this.#writeNote();
    };
    try {
      if (this.#isFull) return;
      const inputs = pullCorpus(connection, pulled, { signal }, onRevision);
      for await (const input of inputs) {
        if (batch.push(input) < writtenAtOnce) continue;
        await write();
        if (this.#isFull) return;
      }
    } finally {
      await write();
      if (this.#sinceNote > 0) await this.#writeNote();
    }
  }

  /**
   * Inputs have left the corpus: reads its list, removes what is not in it any more, and
   * brings what is missing.
   *
   * @returns false: the corpus has changed again meanwhile
   */
  async #readAnew(): Promise<boolean> {
    const { connection, corpus, signal } = this.parts;
    const listed = new Set<string>();
    let [revision, cursor] = [0, 0];
    for await (const page of corpusEntries(connection, corpus, { signal })) {
      if (revision > 0 && page.revision !== revision) return false;
      revision = page.revision;
      for (const entry of page.entries) {
        listed.add(entry.sha256);
        cursor = entry.cursor;
      }
    }
    for (const sha256 of [...this.#inputs]) {
      if (!listed.has(sha256)) await this.#remove(sha256);
    }
    const missing = [...listed].filter((sha256) => !this.has(sha256));
    let isSame = true;
    for (let at = 0; at < missing.length && isSame; at += askedAtOnce) {
      const sha256s = missing.slice(at, at + askedAtOnce);
      await this.#pull(
        { ...corpus, sha256s },
        () => {},
        (now) => {
          isSame &&= now === revision;
        },
      );
    }
    if (!isSame) return false;
    this.#revision = revision;
    this.#cursor = cursor;
    await this.#writeNote();
    return true;
  }

  async #keep({ sha256, bytes }: CorpusInput): Promise<void> {
    if (this.has(sha256)) return;
    const path = this.#pathOf(sha256);
    await writeFile(`${path}.part`, bytes);
    await rename(`${path}.part`, path);
    this.#note(sha256, bytes.length);
  }

  #note(sha256: string, sizeBytes: number): void {
    if (this.has(sha256)) return;
    this.#inputs.add(sha256);
    this.#arrivals.push(sha256);
    this.#bytes += sizeBytes;
    this.#sinceNote += 1;
  }

  async #remove(sha256: string): Promise<void> {
    const path = this.#pathOf(sha256);
    const { size = 0 } = (await stat(path).catch(() => undefined)) ?? {};
    await rm(path, { force: true });
    this.#bytes = Math.max(this.#bytes - size, 0);
    this.#inputs.delete(sha256);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  async #writeNote(): Promise<void> {
    const { folder, corpus } = this.parts;
    this.#sinceNote = 0;
    const { project, targetName } = corpus;
    const at = { revision: this.#revision, cursor: this.#cursor, bytes: this.#bytes };
    const note: Note = { project, targetName, ...at };
    const path = join(folder, noteFile);
    await writeFile(`${path}.part`, JSON.stringify(note));
    await rename(`${path}.part`, path);
  }

  /** Marks it as used now. */
  async touch(): Promise<void> {
    const now = new Date();
    await utimes(this.parts.folder, now, now);
  }

  get #isFull(): boolean {
    return this.#inputs.size >= seedLimits.files || this.#bytes >= seedLimits.totalBytes;
  }

  #pathOf(sha256: string): string {
    return join(this.parts.folder, 'inputs', sha256);
  }
}

const noteFile = 'corpus.json';

/** What stands there of this corpus; nothing, where it cannot be read. */
async function readNote(folder: string, corpus: CorpusKey): Promise<Note> {
  const none = { ...corpus, revision: 0, cursor: 0, bytes: 0 };
  try {
    const note: Note = JSON.parse(await readFile(join(folder, noteFile), 'utf8'));
    const isOurs = note.project === corpus.project && note.targetName === corpus.targetName;
    const figures = [note.revision, note.cursor, note.bytes];
    const isFine = figures.every((figure) => Number.isSafeInteger(figure) && figure >= 0);
    return isOurs && isFine ? note : none;
  } catch {
    return none;
  }
}
