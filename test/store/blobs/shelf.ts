import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { BlobPlaceOption } from '../../../src/store/blobs.js';
import { addCorpus } from '../../../src/store/ops/corpus/add-corpus.js';
import { listCorpus } from '../../../src/store/ops/corpus/list-corpus.js';
import { createJob } from '../../../src/store/ops/jobs/create-job.js';
import { claimJob } from '../../../src/store/ops/scheduling/claim-job.js';
import type { Store } from '../../../src/store/store.js';
import { openStore, testContext } from '../../harness.js';
import { given } from '../../steps.js';
import { claimInput, jobInput, tick, withBot, withTarget } from '../inputs.js';

const targetName = 'shelf';
/** Small packs, so that there are some. */
const largestPackBytes = 4096;

export const sha256Of = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** A store with one job, whose corpus takes blobs and gives them back. */
export class Shelf {
  private constructor(
    readonly directory: string,
    public store: Store,
    private readonly lease: { jobId: string; attempt: number; fence: number },
    private blobs: BlobPlaceOption,
  ) {}

  static async open(directory: string, blobs: BlobPlaceOption = 'folder'): Promise<Shelf> {
    const store = await openStore({ directory, blobs, largestPackBytes });
    await withTarget(store);
    const bot = await withBot(store);
    const job = jobInput();
    await store.run(testContext(), createJob, { ...job, targetName });
    const claimed = given(await store.run(testContext(), claimJob, claimInput(bot)));
    const { attempt, fence } = claimed;
    return new Shelf(directory, store, { jobId: job.id, attempt, fence }, blobs);
  }

  async reopen(blobs = this.blobs): Promise<void> {
    await this.store.close();
    this.blobs = blobs;
    const { directory } = this;
    this.store = await openStore({ directory, blobs, largestPackBytes });
  }

  /** As a push of one batch does it. `meanwhile` runs when all are on disk, and no row refers to them. */
  async push(contents: readonly Buffer[], meanwhile = async () => {}): Promise<number> {
    const ctx = testContext();
    const batch = this.store.blobs.batch();
    try {
      const entries = contents.map((bytes) => ({
        sha256: sha256Of(bytes),
        sizeBytes: bytes.length,
        origin: 'engine' as const,
      }));
      for (const [index, bytes] of contents.entries()) {
        await batch.add(ctx, given(entries[index]), [bytes]);
      }
      const placed = await batch.settle(ctx);
      await meanwhile();
      const { added } = await this.store.run(ctx, addCorpus, {
        ...this.lease,
        entries,
        placed,
        bounds: { entries: 1000, bytes: 2 ** 30 },
        merge: { afterMs: null, isByGrowth: false },
        now: tick(),
      });
      return added;
    } finally {
      batch.end();
    }
  }

  /** Takes inputs out of the corpus. */
  remove(contents: readonly Buffer[]): void {
    const db = new Database(join(this.directory, 'pandafuzz.db'), { timeout: 60_000 });
    try {
      const remove = db.prepare('DELETE FROM corpus_entries WHERE sha256 = ?');
      db.transaction(() => {
        for (const bytes of contents) remove.run(sha256Of(bytes));
      }).immediate();
    } finally {
      db.close();
    }
  }

  query<Row>(sql: string): Row[] {
    const db = new Database(join(this.directory, 'pandafuzz.db'), { readonly: true });
    try {
      return db.prepare<[], Row>(sql).all();
    } finally {
      db.close();
    }
  }

  /** What the corpus has, in order; undefined for bytes that are lost. */
  async contents(): Promise<(string | undefined)[]> {
    const of = { project: 'default', targetName, targetSha256: '', sha256s: [] };
    const page = { ...of, cursor: 0, limit: 10_000 };
    const { rows } = await this.store.run(testContext(), listCorpus, page);
    const found = await this.store.blobs.readAll(rows);
    return rows.map((row, index) => {
      const bytes = found[index];
      if (bytes && sha256Of(bytes) !== row.sha256) throw new Error('these are other bytes');
      return bytes?.toString();
    });
  }

  /** Rounds of the sweep. Each is later than anything before it. */
  async sweep(rounds: number, graceMs = 0) {
    const total = { blobs: 0, bytes: 0, damagedPacks: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const { signal } = new AbortController();
      const swept = await this.store.blobs.sweep({ now: tick(), graceMs, signal });
      total.blobs += swept.blobs;
      total.bytes += swept.bytes;
      total.damagedPacks.push(...swept.damagedPacks);
    }
    return total;
  }
}
