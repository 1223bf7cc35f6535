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
/** Entries in one write. */
const entriesAtOnce = 64;
const pageSize = 100;

/** An input, and its bytes as they arrive. */
export interface NewEntry {
  readonly header: CorpusEntry;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Inputs of a target that reach new code, shared by all bots that fuzz it. */
export class Corpus {
  constructor(
    private readonly store: Store,
    private readonly leases: Leases,
    private readonly clock: Clock,
  ) {}

  /**
   * Stores inputs under a lease. Bytes are written before their record; entries recorded
   * before a failure stay.
   *
   * @throws ValidationError, NotFoundError (job), StaleLeaseError, DataLossError, DiskFullError
   */
  async push(
    ctx: RequestContext,
    lease: Lease | undefined,
    entries: AsyncIterable<NewEntry>,
  ): Promise<PushCorpusResponse> {
    const found = new Violations();
    const { jobId, attempt, fence, botId } = checkLease(lease, found);
    const named = { jobId, attempt, fence, ...(botId !== undefined && { botId }) };
    found.throwIfAny();
    let [sent, added] = [0, 0];
    let kept: CorpusEntry[] = [];
    const record = async () => {
      const input = { ...named, entries: kept, now: this.clock.now() };
      added += await this.store.run(ctx, addCorpus, input);
      sent += kept.length;
      kept = [];
    };
    // Fails with the reason of the store before any bytes are received in vain.
    const live = this.leases.find({ jobId, attempt, fence });
    if (!live || (botId !== undefined && botId !== live.botId)) await record();
    for await (const { header, chunks } of entries) {
      new Violations()
        .sha256(header.sha256, 'entry.sha256')
        .whole(header.sizeBytes, 'entry.size_bytes', { min: 0, max: largestEntryBytes })
        .throwIfAny();
      await this.store.blobs.keep(ctx, header, chunks);
      if (kept.push(header) === entriesAtOnce) await record();
    }
    if (kept.length > 0) await record();
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
