import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import type {
  CorpusEntry,
  GetCorpusStatsRequest,
  PullCorpusRequest,
  PushCorpusResponse,
} from '../../gen/pandafuzz/v1/corpus_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import { addCorpus } from '../../store/ops/corpus/add-corpus.js';
import { type CorpusSize, getCorpus } from '../../store/ops/corpus/get-corpus.js';
import { listCorpus } from '../../store/ops/corpus/list-corpus.js';
import type { CorpusEntryRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Leases } from '../leases/leases.js';
import { checkLease } from '../messages/checks.js';
import { Violations } from '../messages/violations.js';

const largestEntryBytes = 2 ** 20;
/** Entries in one read: some 256 KiB of small ones. */
const pageSize = 256;

/** An input, and its bytes as they arrive. */
export interface NewEntry {
  readonly header: CorpusEntry;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Inputs of a target that reach new code, shared by all bots that fuzz it. */
export class Corpus {
  constructor(
    private readonly store: Store,
    private readonly leases: Leases,
    private readonly clock: Clock,
  ) {}

  /**
   * Stores inputs under a lease, some hundred small ones at once. Bytes are on disk before
   * their record; entries recorded before a failure stay.
   *
   * @throws ValidationError, NotFoundError (job), StaleLeaseError, DataLossError, DiskFullError
   */
  async push(
    ctx: RequestContext,
    lease: Lease | undefined,
    entries: AsyncIterable<NewEntry>,
  ): Promise<PushCorpusResponse> {
    const found = new Violations();
    const { jobId, attempt, fence } = checkLease(lease, found);
    found.throwIfAny();
    let [sent, added] = [0, 0];
    let kept: CorpusEntry[] = [];
    let batch = this.store.blobs.batch();
    const record = async () => {
      const placed = await batch.settle(ctx);
      const input = { jobId, attempt, fence, entries: kept, placed, now: this.clock.now() };
      added += await this.store.run(ctx, addCorpus, input);
      sent += kept.length;
      kept = [];
      batch.end();
      batch = this.store.blobs.batch();
    };
    try {
      // Fails with the reason of the store before any bytes are received in vain.
      if (!this.leases.find({ jobId, attempt, fence })) await record();
      for await (const { header, chunks } of entries) {
        new Violations()
          .sha256(header.sha256, 'entry.sha256')
          .whole(header.sizeBytes, 'entry.size_bytes', { min: 0, max: largestEntryBytes })
          .throwIfAny();
        await batch.add(ctx, header, chunks);
        kept.push(header);
        if (batch.isFull) await record();
      }
      if (kept.length > 0) await record();
    } finally {
      batch.end();
    }
    return { added, known: sent - added };
  }

  /**
   * A target's entries after the cursor, until the last one at this moment.
   *
   * @throws ValidationError
   */
  async *since(ctx: RequestContext, request: PullCorpusRequest): AsyncGenerator<CorpusEntryRow> {
    const { targetName } = request;
    checkTarget(targetName)
      .whole(request.cursor, 'cursor', { min: 0, max: Number.MAX_SAFE_INTEGER })
      .throwIfAny();
    for (let { cursor } = request; ; ) {
      const page = { targetName, cursor, limit: pageSize };
      const rows = await this.store.run(ctx, listCorpus, page);
      yield* rows;
      if (rows.length < pageSize) return;
      cursor = rows.at(-1)?.sequence ?? cursor;
    }
  }

  /** @throws ValidationError */
  async size(ctx: RequestContext, { targetName }: GetCorpusStatsRequest): Promise<CorpusSize> {
    checkTarget(targetName).throwIfAny();
    return this.store.run(ctx, getCorpus, targetName);
  }
}

const checkTarget = (targetName: string) =>
  new Violations().text(targetName, 'target_name', { min: 1, max: 128 });
