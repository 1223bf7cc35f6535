import type { RequestContext } from '../../core/context.js';
import type { GetSystemStatsResponse } from '../../gen/pandafuzz/v1/system_service.js';
import { readCounters } from '../../store/ops/upkeep/read-counters.js';
import type { DatabaseCopy, Store } from '../../store/store.js';
import type { Sessions } from '../bots/sessions.js';
import type { Leases } from '../leases/leases.js';

/** The master at a glance: kept counters and memory, no scan. */
export class System {
  constructor(
    private readonly store: Store,
    private readonly leases: Leases,
    private readonly sessions: Sessions,
    private readonly about: { version: string; startedAt: Date },
  ) {}

  /** A consistent copy, made beside everything else; whoever asks removes it. */
  copyDatabase(ctx: RequestContext): Promise<DatabaseCopy> {
    ctx.log.info('copying the database');
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
      crashes: count('crashes'),
      crashGroups: count('crash_groups'),
      executionsPerSecond: this.leases.executionsPerSecond,
      freeSlots,
    };
  }
}
