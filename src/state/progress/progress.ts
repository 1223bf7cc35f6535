import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import type {
  CampaignProgress,
  GetProgressRequest,
  GetProgressResponse,
  TargetProgress,
} from '../../gen/pandafuzz/v1/statistics_service.js';
import type { ForecastRow } from '../../store/ops/campaigns/keep-score.js';
import {
  type ProgressJob,
  readProgress,
  type TargetFacts,
} from '../../store/ops/progress/read-progress.js';
import type { Store } from '../../store/store.js';
import type { Sessions } from '../bots/sessions.js';
import { forecastOf } from '../campaigns/forecast.js';
import { campaignStates } from '../campaigns/records.js';
import type { Leases } from '../leases/leases.js';
import { isProject, projectProblem } from '../messages/checks.js';
import { cutPageBy, pairToken, readPair } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';
import type { Collector } from '../series/collector.js';
import { subjectOf, targetSubject } from '../series/subjects.js';
import { enginesOf, hoursShown } from './engines.js';
import { healthOf } from './health.js';

const hourMs = 3_600_000;
const usualPage = 50;
const largestPage = 100;

export interface ProgressParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly sessions: Sessions;
  readonly leases: Pick<Leases, 'countOfCampaign'>;
  readonly collector: Collector;
}

/** How targets do: what is on disk of them, and what the runs of now say. */
export class Progress {
  constructor(private readonly parts: ProgressParts) {}

  /** @throws ValidationError */
  async list(ctx: RequestContext, request: GetProgressRequest): Promise<GetProgressResponse> {
    const { project, pageSize, pageToken } = request;
    const found = new Violations()
      .expect(isProject(project), 'project', projectProblem)
      .whole(pageSize, 'page_size', { min: 0, max: largestPage });
    const [afterProject, afterName] = readPair(pageToken, found);
    const limit = (pageSize || usualPage) + 1;
    const now = this.parts.clock.now();
    const from = now - hoursShown * hourMs;
    const of = { project, afterProject, afterName, limit, from, newFrom: leastId(from) };
    const { targets, forecasts } = await this.parts.store.run(ctx, readProgress, of);
    const cut = cutPageBy(targets, limit, (last) => pairToken([last.project, last.name]));
    return {
      targets: cut.rows.map((facts) => this.#progressOf(facts, { now, forecasts })),
      nextPageToken: cut.nextPageToken,
    };
  }

  #progressOf(
    facts: TargetFacts,
    { now, forecasts }: { now: number; forecasts: readonly ForecastRow[] },
  ): TargetProgress {
    const { project, name, jobs, groups } = facts;
    const curves = this.parts.collector.curvesOf(targetSubject(project, name));
    const sum = (of: 'running' | 'rate') =>
      curves.reduce((total, { latest }) => total + latest[of], 0);
    const current = curves.flatMap((curve) => {
      const open = curve.open(600);
      const whole = curve.waiting.filter(({ stepS }) => stepS === 600);
      return open ? [...whole, open] : whole;
    });
    const running = sum('running');
    const times = curves.flatMap(({ foundAt }) => foundAt ?? []);
    const foundAt = Math.max(facts.foundAt ?? 0, ...times) || undefined;
    const pending = countOf(jobs, 'pending');
    const started = jobs.flatMap(({ started_at }) => started_at ?? []);
    const judged = healthOf({
      now,
      running,
      executions: curves.reduce((total, { executions }) => total + executions, 0),
      pending,
      starting: countOf(jobs, 'assigned', 'running'),
      paused: countOf(jobs, 'paused'),
      failed: failureOf(jobs),
      botsOnline: this.parts.sessions.online,
      beganAt: started.length > 0 ? Math.min(...started) : undefined,
      foundAt,
    });
    return {
      ...{ project, name, ...judged, pending, running },
      engines: enginesOf([...facts.points, ...current], now),
      lastFindAt: foundAt === undefined ? undefined : new Date(foundAt),
      executionsPerSecond: sum('rate'),
      newGroups: groups.fresh,
      openGroups: groups.open,
      campaigns: facts.campaigns.map((one) => this.#campaign(one, forecasts)),
    };
  }

  #campaign(
    { campaign, arms }: TargetFacts['campaigns'][number],
    scores: readonly ForecastRow[],
  ): CampaignProgress {
    const { id, name, key, state, state_reason: stateReason, last_find_at } = campaign;
    const running = this.parts.leases.countOfCampaign(key);
    const curves = this.parts.collector.curvesOf(subjectOf('campaign', key));
    return {
      ...{ id, name, state: campaignStates[state], stateReason, running },
      executionsPerSecond: curves.reduce((sum, { latest }) => sum + latest.rate, 0),
      lastFindAt: last_find_at === null ? undefined : new Date(last_find_at),
      forecast: forecastOf({ campaign, arms, running, scores }),
    };
  }
}

const countOf = (jobs: readonly ProgressJob[], ...states: string[]): number =>
  jobs.filter(({ state }) => states.includes(state)).length;

/** The least id of version 7 that is made at this time. */
function leastId(time: number): string {
  const hex = Math.max(0, time).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Of the job that ended last, if nothing of its target was executed in it. */
function failureOf(jobs: readonly ProgressJob[]): { since: number; why: string } | undefined {
  const ended = jobs.filter(({ finished_at }) => finished_at !== null);
  const [last] = ended.sort((a, b) => (b.finished_at ?? 0) - (a.finished_at ?? 0));
  if (last?.state !== 'dead' || hasExecuted(last)) return undefined;
  return { since: last.finished_at ?? 0, why: last.message || 'its last job ended as dead' };
}

export const hasExecuted = (job: {
  statistics: string | null;
  earlier_statistics: string | null;
}): boolean =>
  [job.statistics, job.earlier_statistics].some(
    (text) => text !== null && Number(JSON.parse(text).executions ?? 0) > 0,
  );
