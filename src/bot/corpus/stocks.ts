import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../../client/connect.js';
import { makeFolder } from '../../core/folders.js';
import type { Logger } from '../../core/log.js';
import type { CorpusKey } from '../../gen/pandafuzz/v1/corpus_service.js';
import { Stock } from './stock.js';

/** Of the files of a corpus that is on disk and not open, a file takes at least so much. */
const blockBytes = 4096;

interface Open {
  readonly stock: Promise<Stock>;
  users: number;
}

export interface OpenStock {
  readonly stock: Stock;
  readonly close: () => Promise<void>;
}

/**
 * The corpora that this bot has on its disk, one folder each. Those that no run uses go,
 * the longest unused first, when all of them take more than the bound.
 */
export class Stocks {
  readonly #open = new Map<string, Open>();

  constructor(
    private readonly parts: {
      readonly folder: string;
      readonly connection: Connection;
      readonly mostBytes: number;
      readonly log: Logger;
      /** Ends every call. */
      readonly signal: AbortSignal;
    },
  ) {}

  /**
   * The stock of a corpus, until `close` is called.
   *
   * @throws the system's error when its folder cannot be used
   */
  async open(corpus: CorpusKey): Promise<OpenStock> {
    const name = nameOf(corpus);
    const open = this.#open.get(name) ?? this.#begin(name, corpus);
    open.users += 1;
    const close = async () => {
      open.users -= 1;
      if (open.users === 0) this.#open.delete(name);
      await this.prune();
    };
    try {
      return { stock: await open.stock, close };
    } catch (error) {
      await close();
      throw error;
    }
  }

  #begin(name: string, corpus: CorpusKey): Open {
    const { folder, connection, signal } = this.parts;
    const parts = { folder: join(folder, name), connection, corpus, signal };
    const stock = Stock.open(parts).then(async (opened) => {
      await opened.touch();
      return opened;
    });
    const open = { stock, users: 0 };
    this.#open.set(name, open);
    return open;
  }

  /** Removes what was not used for longest, down to the bound. */
  async prune(): Promise<void> {
    const { folder, mostBytes, log } = this.parts;
    await makeFolder(folder);
    const found: { name: string; usedAtMs: number; bytes: number }[] = [];
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const { mtimeMs } = await stat(path);
      found.push({ name, usedAtMs: mtimeMs, bytes: await this.#bytesOf(name, path) });
    }
    let total = found.reduce((sum, { bytes }) => sum + bytes, 0);
    found.sort((a, b) => a.usedAtMs - b.usedAtMs);
    for (const { name, bytes } of found) {
      if (total <= mostBytes) return;
      if (this.#open.has(name)) continue;
      await rm(join(folder, name), { recursive: true, force: true });
      log.info({ corpus: name, bytes }, 'corpus removed from the disk');
      total -= bytes;
    }
  }

  /** On the disk: most inputs are shorter than a block. */
  async #bytesOf(name: string, path: string): Promise<number> {
    const open = this.#open.get(name);
    if (open) {
      const stock = await open.stock.catch(() => undefined);
      return stock ? Math.max(stock.bytes, stock.size * blockBytes) : 0;
    }
    let bytes = 0;
    for (const file of await readdir(join(path, 'inputs')).catch(() => [])) {
      const found = await stat(join(path, 'inputs', file)).catch(() => undefined);
      bytes += Math.max(found?.size ?? 0, blockBytes);
    }
    return bytes;
  }
}

/** Names may have any characters. */
const nameOf = ({ project, targetName }: CorpusKey): string =>
  createHash('sha256').update(`${project}\0${targetName}`).digest('hex').slice(0, 32);
