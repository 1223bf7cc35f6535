import { type Clock, sleep } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { NotFoundError, OutOfRangeError } from '../../core/errors.js';
import { isId, isSha256 } from '../../core/ids.js';
import type {
  DownloadBlobFileRequest,
  FindIdsRequest,
  FindIdsResponse,
  GetSystemStatsResponse,
  HoldBlobsResponse,
} from '../../gen/pandafuzz/v1/system_service.js';
import type { Cluster, OwnFigures } from '../../store/cluster.js';
import { findIds, idResources } from '../../store/ops/upkeep/find-ids.js';
import { readCounters } from '../../store/ops/upkeep/read-counters.js';
import type { DatabaseCopy, Store } from '../../store/store.js';
import type { Sessions } from '../bots/sessions.js';
import type { Leases } from '../leases/leases.js';
import { Violations } from '../messages/violations.js';

/** Figures of the master, from stored counters and memory, without a scan. */
export class System {
  constructor(
    private readonly parts: {
      readonly store: Store;
      readonly leases: Leases;
      readonly sessions: Sessions;
      readonly clock: Clock;
    },
    private readonly about: { version: string; startedAt: Date; warnings: string[] },
  ) {}

  /** A consistent copy, made beside running work; the caller removes it. */
  copyDatabase(ctx: RequestContext): Promise<DatabaseCopy> {
    ctx.log.info('backup started');
    return this.parts.store.copy(ctx);
  }

  /** Keeps all blobs on disk until the caller leaves or the longest time is over. */
  async *holdBlobs(ctx: RequestContext): AsyncGenerator<HoldBlobsResponse> {
    const { store, clock } = this.parts;
    const { mark, release } = await store.blobs.holdAll();
    try {
      ctx.log.info('blobs held');
      const endsAtMs = clock.monotonic() + longestHoldMs;
      const endsAt = new Date(clock.now() + longestHoldMs);
      for (let leftMs = longestHoldMs; leftMs > 0; leftMs = endsAtMs - clock.monotonic()) {
        yield { directory: store.blobs.directory, endsAt, mark };
        await sleep(clock, Math.min(holdMessageEveryMs, leftMs), ctx.signal);
      }
    } finally {
      await release();
      ctx.log.info('blobs released');
    }
  }

  /** One file of the folder of blobs. @throws ValidationError, NotFoundError, OutOfRangeError */
  async blobFile(
    { sha256, packId, offsetBytes: offset }: DownloadBlobFileRequest,
    chunkBytes: number,
  ): Promise<{ sizeBytes: number; chunks: AsyncIterable<Buffer> }> {
    const isPack = Number.isSafeInteger(packId) && packId >= 1 && packId < mostPacks;
    new Violations()
      .expect(sha256 === '' || isSha256(sha256), 'sha256', 'must be 64 lower-case hex digits')
      .expect(packId === 0 || isPack, 'pack_id', `must be from 1 to ${mostPacks - 1}`)
      .expect((sha256 === '') === (packId !== 0), 'sha256', 'give it, or pack_id, not both')
      .throwIfAny();
    const name = packId === 0 ? { sha256 } : { packId };
    const file = await this.parts.store.blobs.openFile(name, { offset, chunkBytes });
    if (!file) throw new NotFoundError({ resource: 'file of blobs', id: sha256 });
    if (offset > file.sizeBytes) {
      throw new OutOfRangeError({ why: `the file ends at ${file.sizeBytes} bytes` });
    }
    return file;
  }

  async stats(ctx: RequestContext): Promise<GetSystemStatsResponse> {
    const [counters, space] = await Promise.all([
      this.parts.store.run(ctx, readCounters, null),
      this.parts.store.space(),
    ]);
    const count = (name: string) => counters[name] ?? 0;
    const { sessions, leases, store } = this.parts;
    let freeSlots = 0;
    for (const session of sessions.all()) freeSlots += session.freeSlots;
    const others = othersOf(store.cluster);
    return {
      ...this.about,
      ...space,
      botsOnline: sessions.online + others.botsOnline,
      botsTotal: count('bots'),
      jobs: {
        pending: count('jobs.pending'),
        assigned: count('jobs.assigned'),
        running: count('jobs.running'),
        completed: count('jobs.completed'),
        cancelled: count('jobs.cancelled'),
        dead: count('jobs.dead'),
        paused: count('jobs.paused'),
      },
      crashes: count('crash_inputs_kept'),
      crashGroups: count('crash_groups'),
      crashHits: count('crash_hits'),
      crashInputsKept: count('crash_inputs_kept'),
      executionsPerSecond: leases.executionsPerSecond + others.executionsPerSecond,
      freeSlots: freeSlots + others.freeSlots,
    };
  }

  /**
   * What has an id that begins so.
   *
   * @throws ValidationError
   */
  async findIds(ctx: RequestContext, request: FindIdsRequest): Promise<FindIdsResponse> {
    const { prefix, resources } = request;
    const found = new Violations();
    const known = idResources.filter((one) => resources.length === 0 || resources.includes(one));
    const isKnown = resources.every((one) => (idResources as readonly string[]).includes(one));
    const [from, to] = [lowest, highest].map((id) => prefix + id.slice(prefix.length)) as Range;
    found
      .expect(isKnown, 'resources', `must be of: ${idResources.join(', ')}`)
      .expect(
        prefix !== '' && isId(from),
        'prefix',
        'must be the beginning of a UUID in lower case',
      )
      .throwIfAny();
    const range = { from, to, limit: mostFound };
    const { projects } = ctx.principal;
    const wanted = { ...range, resources: known, projects };
    return { found: await this.parts.store.run(ctx, findIds, wanted) };
  }
}

/** Figures of the other masters of a cluster, as of their last beats. */
function othersOf(cluster: Cluster | undefined): OwnFigures {
  const sum = { botsOnline: 0, freeSlots: 0, executionsPerSecond: 0 };
  for (const peer of cluster?.peers ?? []) {
    if (peer.id === cluster?.id) continue;
    sum.botsOnline += peer.botsOnline;
    sum.freeSlots += peer.freeSlots;
    sum.executionsPerSecond += peer.executionsPerSecond;
  }
  return sum;
}

type Range = [from: string, to: string];

/** Longest that one call holds the blobs: of a large backup over a slow line. */
const longestHoldMs = 24 * 3_600_000;
const holdMessageEveryMs = 10_000;
/** Ten digits name a pack. */
const mostPacks = 10 ** 10;
/** Of each resource. */
const mostFound = 10;
const lowest = '00000000-0000-0000-0000-000000000000';
const highest = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
