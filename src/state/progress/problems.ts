import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { inProject } from '../../core/project.js';
import {
  GetProgressRequest,
  Health,
  type ListProblemsResponse,
  type Problem,
  ProblemKind,
  type TargetProgress,
} from '../../gen/pandafuzz/v1/statistics_service.js';
import { type EndRow, newestEnds } from '../../store/ops/progress/newest-ends.js';
import type { Store } from '../../store/store.js';
import type { Holds } from '../bots/holds.js';
import type { Presence } from '../bots/presence.js';
import type { SessionHandle, Sessions } from '../bots/sessions.js';
import { hasExecuted, type Progress } from './progress.js';

/** Jobs that ended last, and targets, that are looked at. */
const mostEnds = 500;
const dayMs = 86_400_000;
const mostTargets = 100;
const mostProblems = 100;
const mostIds = 5;

export interface ProblemsParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly sessions: Sessions;
  readonly holds: Holds;
  readonly progress: Progress;
  readonly vitals: { readonly writes: boolean; readonly room: boolean };
  readonly presence: Pick<Presence, 'lostSince'>;
  /** Destinations of notifications that fail. */
  readonly failing: () => readonly { name: string; since: number; why: string }[];
}

/** What is wrong now, by cause: bots with one cause, and jobs of one target, are one problem. */
export class Problems {
  constructor(private readonly parts: ProblemsParts) {}

  /** Callers who are bound to projects see those of their targets and jobs alone. */
  async list(ctx: RequestContext): Promise<ListProblemsResponse> {
    const { projects } = ctx.principal;
    const since = this.parts.clock.now() - dayMs;
    const problems: Problem[] = projects ? [] : this.#ofAll(since);
    for (const project of projects ?? [undefined]) {
      problems.push(...(await this.#ofJobs(ctx, since, project)));
    }
    problems.sort(
      (a, b) => Number(b.isBad) - Number(a.isBad) || a.kind - b.kind || b.count - a.count,
    );
    return { problems: problems.slice(0, mostProblems) };
  }

  /** What is nobody's project's. */
  #ofAll(since: number): Problem[] {
    return [
      ...this.#ofMaster(),
      ...this.#ofNotifications(),
      ...this.#ofBots(),
      ...this.#ofLostBots(since),
    ];
  }

  /** Of one project, or of all. */
  async #ofJobs(
    ctx: RequestContext,
    since: number,
    project: string | undefined,
  ): Promise<Problem[]> {
    const { store, progress } = this.parts;
    const page = { since, limit: mostEnds };
    const wanted = { pageSize: mostTargets, ...(project !== undefined && { project }) };
    const [ends, { targets }] = await Promise.all([
      store.run(ctx, newestEnds, { ...page, ...(project !== undefined && { project }) }),
      progress.list(ctx, GetProgressRequest.create(wanted)),
    ]);
    return [...ofTargets(targets), ...ofEnds(ends, targets)];
  }

  #ofMaster(): Problem[] {
    const { writes, room } = this.parts.vitals;
    const about = { ...nothing, kind: ProblemKind.MASTER, isBad: true, object: 'the master' };
    return [
      ...(writes ? [] : [{ ...about, sentence: 'cannot write to its disk', remedy: seeLog }]),
      ...(room
        ? []
        : [
            {
              ...about,
              sentence: 'its disk is nearly full',
              remedy: 'free space, see docs/operations.md',
            },
          ]),
    ];
  }

  #ofNotifications(): Problem[] {
    return this.parts.failing().map(({ name, since, why }) => ({
      ...nothing,
      ...{ kind: ProblemKind.MASTER, since: new Date(since), object: `notifications to ${name}` },
      sentence: `are not taken: ${why}`,
      remedy: `pandafuzz notify test ${name}`,
    }));
  }

  #ofLostBots(since: number): Problem[] {
    const { ids, first } = this.parts.presence.lostSince(since);
    if (ids.length === 0) return [];
    return [
      {
        ...aboutBots(ids),
        ...{ kind: ProblemKind.BOT_UNWELL, isBad: true, since: new Date(first) },
        sentence: 'lost: no heartbeat stream',
        remedy: 'start them again; bot drain or bot delete, if they are not to come back',
      },
    ];
  }

  #ofBots(): Problem[] {
    const { sessions, holds } = this.parts;
    const unwell = new Map<string, string[]>();
    const held = new Map<string, string[]>();
    for (const session of sessions.all()) {
      const problem = session.health?.problem;
      if (problem) add(unwell, problem, session.botId);
      else if (session.isResting) add(held, whyHeld(holds, session), session.botId);
    }
    return [
      ...[...unwell].map(([sentence, ids]) => ({
        ...aboutBots(ids),
        ...{ kind: ProblemKind.BOT_UNWELL, isBad: true, sentence },
        remedy: 'mend it on their machines: they take jobs again by themselves',
      })),
      ...[...held].map(([sentence, ids]) => ({
        ...aboutBots(ids),
        ...{ kind: ProblemKind.HELD_BACK, isBad: false, sentence },
        remedy: `pandafuzz bot explain ${ids[0]}`,
      })),
    ];
  }
}

const seeLog = "see the master's log";
const nothing: Problem = {
  ...{ kind: ProblemKind.UNSPECIFIED, isBad: false, object: '', sentence: '', remedy: '' },
  ...{ since: undefined, count: 1, ids: [] },
};

const aboutBots = (ids: readonly string[]): Problem => ({
  ...nothing,
  object: ids.length === 1 ? '1 bot' : `${ids.length} bots`,
  count: ids.length,
  ids: ids.slice(0, mostIds),
});

function add(to: Map<string, string[]>, cause: string, id: string): void {
  const known = to.get(cause);
  if (known) known.push(id);
  else to.set(cause, [id]);
}

const whyHeld = (holds: Holds, { botId }: SessionHandle): string =>
  holds.of(botId)?.why || 'starts of runs failed';

function ofTargets(targets: readonly TargetProgress[]): Problem[] {
  return targets.flatMap((target): Problem[] => {
    const about = { ...nothing, object: titleOf(target), sentence: target.reason };
    const { health, lastFindAt: since, pending } = target;
    if (health === Health.CANNOT_FUZZ) {
      const remedy = 'pandafuzz job list --state dead, then job get and job log';
      return [{ ...about, kind: ProblemKind.CANNOT_FUZZ, isBad: true, remedy }];
    }
    if (health === Health.NO_BOTS) {
      const remedy = 'pandafuzz bot, on any machine';
      return [{ ...about, kind: ProblemKind.NO_BOT_FITS, isBad: true, count: pending, remedy }];
    }
    if (health === Health.FLAT) {
      const remedy = 'other seeds, a dictionary, another engine, or enough';
      return [{ ...about, kind: ProblemKind.FLAT, since, remedy }];
    }
    return [];
  });
}

/** Jobs that are dead, of targets that are not said to be unable to fuzz. */
function ofEnds(ends: readonly EndRow[], targets: readonly TargetProgress[]): Problem[] {
  const said = new Set(
    targets.filter(({ health }) => health === Health.CANNOT_FUZZ).map((one) => titleOf(one)),
  );
  const causes = new Map<string, EndRow[]>();
  for (const end of ends) {
    const target = titleOf({ project: end.project, name: end.target_name });
    if (end.state !== 'dead' || end.kind !== 'fuzz' || said.has(target)) continue;
    const cause = JSON.stringify([target, end.message]);
    causes.set(cause, [...(causes.get(cause) ?? []), end]);
  }
  return [...causes.values()].map((those) => {
    const [newest] = those as [EndRow];
    const target = titleOf({ project: newest.project, name: newest.target_name });
    const count = those.length;
    return {
      ...nothing,
      ...{ kind: ProblemKind.DEAD_JOBS, count, ids: those.slice(0, mostIds).map(({ id }) => id) },
      object: `${target}: ${count === 1 ? '1 dead job' : `${count} dead jobs`}`,
      sentence:
        newest.message || (hasExecuted(newest) ? 'it ended while it fuzzed' : 'it never fuzzed'),
      since: new Date(Math.min(...those.map(({ finished_at }) => finished_at))),
      remedy: `pandafuzz job get ${newest.id}`,
    };
  });
}

const titleOf = ({ project, name }: Pick<TargetProgress, 'project' | 'name'>): string =>
  inProject(project, name);
