import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { QuotaError } from '../../core/errors.js';
import { isSha256 } from '../../core/ids.js';
import type {
  CorpusEntry,
  CorpusKey,
  GetCorpusStatsRequest,
  ImportCorpusResponse,
  PullCorpusRequest,
  PushCorpusResponse,
} from '../../gen/pandafuzz/v1/corpus_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { PlacedBlob } from '../../store/ops/blobs/place-blobs.js';
import {
  type Added,
  addCorpus,
  type CorpusBounds,
  importCorpus,
  type MergeWish,
  type NewCorpusEntry,
} from '../../store/ops/corpus/add-corpus.js';
import { type CorpusSize, getCorpus } from '../../store/ops/corpus/get-corpus.js';
import { listCorpus } from '../../store/ops/corpus/list-corpus.js';
import type { CorpusEntryRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Leases } from '../leases/leases.js';
import { checkLease } from '../messages/checks.js';
import { corpusOf, pushedOrigin } from '../messages/corpus-records.js';
import { Violations } from '../messages/violations.js';
import type { ProjectRoom } from './project-room.js';

const largestEntryBytes = 2 ** 20;
/** Entries in one read: some 256 KiB of small ones. */
const pageSize = 256;
/** Entries that are asked for by their SHA-256. */
const mostAsked = 1000;

/** An input, and its bytes as they arrive. */
export interface NewEntry {
  readonly header: CorpusEntry;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** A part of an answer to a pull. */
export interface PulledPage {
  readonly revision: number;
  readonly rows: readonly CorpusEntryRow[];
}

type Record = (entries: readonly NewCorpusEntry[], placed: readonly PlacedBlob[]) => Promise<Added>;

export interface CorpusParts {
  readonly store: Store;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly merge: MergeWish;
  /** Of each corpus, that is of each target of a project. */
  readonly bounds: CorpusBounds;
  readonly projectRoom: ProjectRoom;
  /** Counts inputs for which there is no room. */
  readonly refused: { inc(by: number): void };
}

const dayMs = 86_400_000;

/** When a corpus is to be minimised without being asked, by the setting `corpus.merge`. */
export const mergeWish = (setting: 'off' | 'daily' | 'growth' | 'both'): MergeWish => ({
  afterMs: setting === 'daily' || setting === 'both' ? dayMs : null,
  isByGrowth: setting === 'growth' || setting === 'both',
});

/** Inputs of a target that reach new code, shared by all bots that fuzz it. */
export class Corpus {
  constructor(private readonly parts: CorpusParts) {}

  /**
   * Stores inputs under a lease, some hundred small ones at once. Bytes are on disk before
   * their record; entries recorded before a failure stay.
   *
   * @throws ValidationError, NotFoundError (job), StaleLeaseError, DataLossError, DiskFullError,
   *   QuotaError when the corpus is full
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
    const { store, leases, clock, merge, bounds, projectRoom } = this.parts;
    const record: Record = (kept, placed) => {
      const input = { ...named, entries: kept, placed, merge, bounds, now: clock.now() };
      return store.run(ctx, addCorpus, input);
    };
    // Fails with the reason of the store before any bytes are received in vain.
    const live = leases.find({ jobId, attempt, fence });
    if (!live || (botId !== undefined && botId !== live.botId)) await record([], []);
    if (live?.target) await projectRoom.expect(ctx, live.target.project);
    return this.#take(ctx, entries, record, ({ origin }) => pushedOrigin(origin));
  }

  /**
   * Stores inputs for an operator, of a target that may have had no job yet.
   *
   * @throws ValidationError, DataLossError, DiskFullError, QuotaError when the corpus is full
   */
  async import(
    ctx: RequestContext,
    key: CorpusKey | undefined,
    entries: AsyncIterable<NewEntry>,
  ): Promise<ImportCorpusResponse> {
    const found = new Violations();
    const of = corpusOf(key, found);
    found.throwIfAny();
    const { store, clock, merge, bounds, projectRoom } = this.parts;
    await projectRoom.expect(ctx, of.project);
    const record: Record = (kept, placed) => {
      const input = { ...of, entries: kept, placed, merge, bounds, now: clock.now() };
      return store.run(ctx, importCorpus, input);
    };
    return this.#take(ctx, entries, record, () => 'import');
  }

  async #take(
    ctx: RequestContext,
    entries: AsyncIterable<NewEntry>,
    record: Record,
    originOf: (header: CorpusEntry) => NewCorpusEntry['origin'] | undefined,
  ): Promise<{ added: number; known: number }> {
    let [sent, added] = [0, 0];
    let kept: NewCorpusEntry[] = [];
    const { blobs, room } = this.parts.store;
    let batch = blobs.batch();
    const write = async () => {
      const placed = await batch.settle(ctx);
      const done = await record(kept, placed);
      this.#expectRoom(done);
      added += done.added;
      sent += kept.length;
      kept = [];
      batch.end();
      batch = blobs.batch();
    };
    try {
      for await (const { header, chunks } of entries) {
        const { sha256, sizeBytes } = header;
        const origin = originOf(header);
        new Violations()
          .sha256(sha256, 'entry.sha256')
          .whole(sizeBytes, 'entry.size_bytes', { min: 0, max: largestEntryBytes })
          .expect(origin !== undefined, 'entry.origin', 'must be ENGINE or SEEDS')
          .throwIfAny();
        await room.expect(sizeBytes, 'new');
        await batch.add(ctx, header, chunks);
        kept.push({ sha256, sizeBytes, origin: origin ?? 'engine' });
        if (batch.isFull) await write();
      }
      if (kept.length > 0) await write();
    } finally {
      batch.end();
    }
    return { added, known: sent - added };
  }

  /** @throws QuotaError: the first inputs of this part that were new are kept, the others are not */
  #expectRoom({ refused, bound }: Added): void {
    if (bound === undefined) return;
    this.parts.refused.inc(refused);
    const { entries, bytes } = this.parts.bounds;
    const [subject, most] =
      bound === 'entries'
        ? ['corpus.max_inputs', `${entries} inputs`]
        : ['corpus.max_bytes', `${bytes} bytes`];
    const why = `the corpus of this target is full: it may have ${most} (${subject}); merge it, remove inputs, or raise the setting`;
    throw new QuotaError({ subject, why });
  }

  /**
   * A target's entries after the cursor, until the last one at this moment, or the next
   * moment at which entries leave the corpus.
   *
   * @throws ValidationError
   */
  async *since(ctx: RequestContext, request: PullCorpusRequest): AsyncGenerator<PulledPage> {
    const { project, targetName, targetSha256, sha256s } = request;
    const found = new Violations();
    const of = corpusOf({ project, targetName }, found, {
      project: 'project',
      targetName: 'target_name',
    });
    found
      .whole(request.cursor, 'cursor', { min: 0, max: Number.MAX_SAFE_INTEGER })
      .expect(
        sha256s.length <= mostAsked && sha256s.every(isSha256),
        'sha256s',
        `must be at most ${mostAsked} SHA-256s: 64 lower-case hex digits each`,
      );
    if (targetSha256 !== '') found.sha256(targetSha256, 'target_sha256');
    found.throwIfAny();
    for (let { cursor, revision } = request; ; ) {
      const input = { ...of, cursor, limit: pageSize, targetSha256, sha256s };
      const page = await this.parts.store.run(ctx, listCorpus, input);
      const isOther = revision > 0 && page.revision !== revision && sha256s.length === 0;
      if (isOther && cursor === request.cursor) yield { revision: page.revision, rows: [] };
      if (isOther) return;
      yield page;
      if (page.isLast) return;
      ({ cursor, revision } = page);
    }
  }

  /** @throws ValidationError */
  async size(
    ctx: RequestContext,
    { project, targetName }: GetCorpusStatsRequest,
  ): Promise<CorpusSize> {
    const found = new Violations();
    const of = corpusOf({ project, targetName }, found, {
      project: 'project',
      targetName: 'target_name',
    });
    found.throwIfAny();
    return this.parts.store.run(ctx, getCorpus, of);
  }
}
