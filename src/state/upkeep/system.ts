import type { RequestContext } from '../../core/context.js';
import { isId } from '../../core/ids.js';
import type {
  FindIdsRequest,
  FindIdsResponse,
  GetSystemStatsResponse,
} from '../../gen/pandafuzz/v1/system_service.js';
import { findIds, idResources } from '../../store/ops/upkeep/find-ids.js';
import { readCounters } from '../../store/ops/upkeep/read-counters.js';
import type { DatabaseCopy, Store } from '../../store/store.js';
import type { Sessions } from '../bots/sessions.js';
import type { Leases } from '../leases/leases.js';
import { Violations } from '../messages/violations.js';

/** Figures of the master, from stored counters and memory, without a scan. */
export class System {
  constructor(
    private readonly store: Store,
    private readonly leases: Leases,
    private readonly sessions: Sessions,
    private readonly about: { version: string; startedAt: Date },
  ) {}

  /** A consistent copy, made beside running work; the caller removes it. */
  copyDatabase(ctx: RequestContext): Promise<DatabaseCopy> {
    ctx.log.info('backup started');
    return this.store.copy(ctx);
  }

  async stats(ctx: RequestContext): Promise<GetSystemStatsResponse> {
    const [counters, space] = await Promise.all([
      this.store.run(ctx, readCounters, null),
      this.store.space(),
    ]);
    const count = (name: string) => counters[name] ?? 0;
    let freeSlots = 0;
    for (const session of this.sessions.all()) freeSlots += session.freeSlots;
    return {
      ...this.about,
      ...space,
      botsOnline: this.sessions.online,
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
      executionsPerSecond: this.leases.executionsPerSecond,
      freeSlots,
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
    return { found: await this.store.run(ctx, findIds, { ...range, resources: known }) };
  }
}

type Range = [from: string, to: string];

/** Of each resource. */
const mostFound = 10;
const lowest = '00000000-0000-0000-0000-000000000000';
const highest = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
