import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { defaultProject } from '../../core/project.js';
import {
  type GetSeriesRequest,
  type GetSeriesResponse,
  SeriesSubject,
} from '../../gen/pandafuzz/v1/statistics_service.js';
import type { SeriesPoint } from '../../store/ops/series/add-points.js';
import { type PointRow, readSeries } from '../../store/ops/series/read-series.js';

import type { Store } from '../../store/store.js';
import { isProject, projectProblem } from '../messages/checks.js';
import { cutPageBy } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';
import type { Collector } from './collector.js';
import { steps } from './curve.js';
import { keptMs } from './kept.js';
import { fleet, type SubjectKind, subjectOf, targetSubject } from './subjects.js';

const largestPage = 1000;
const hourMs = 3_600_000;
/** Figures over time, by subject. */
export class Series {
  constructor(
    private readonly parts: {
      readonly store: Pick<Store, 'run'>;
      readonly clock: Clock;
      readonly collector: Collector;
    },
  ) {}

  /** @throws ValidationError */
  async get(ctx: RequestContext, request: GetSeriesRequest): Promise<GetSeriesResponse> {
    const { store, clock, collector } = this.parts;
    const now = clock.now();
    const found = new Violations();
    const subject = subjectIn(request, found);
    const from = request.from?.getTime() ?? now - hourMs;
    const to = request.to?.getTime() ?? now + 1;
    const stepS = stepIn(request.stepSeconds, now - from, found);
    found.whole(request.pageSize, 'page_size', { min: 0, max: largestPage });
    const after =
      request.pageToken === '' ? { time: from, engine: '' } : pointOf(request.pageToken);
    found
      .expect(after !== undefined, 'page_token', 'must be a next_page_token of this series')
      .throwIfAny();
    const { time, engine } = after as Place;
    const limit = (request.pageSize || largestPage) + 1;
    // Of the first page, points of an empty engine at `from` itself belong to it.
    const isFirst = request.pageToken === '';
    const place = { afterTime: isFirst ? time - 1 : time, afterEngine: isFirst ? last : engine };
    const rows = await store.run(ctx, readSeries, { subject, stepS, ...place, to, limit });
    // What is whole and not on disk yet stands behind all that is.
    const waiting = collector.waiting(subject, stepS).map(rowOf);
    const newest = rows.at(-1);
    const isAfter = (row: Place) => compare(row, newest ?? after ?? row) > 0 && row.time < to;
    const unwritten = rows.length < limit ? waiting.filter(isAfter).sort(compare) : [];
    const cut = cutPageBy([...rows, ...unwritten].slice(0, limit), limit, tokenAfter);
    return {
      points: cut.rows.map(pointRecord),
      stepSeconds: stepS,
      nextPageToken: cut.nextPageToken,
    };
  }
}

/** Sorts after the name of every engine. */
const last = '\uffff';

type Place = Pick<PointRow, 'time' | 'engine'>;

const compare = (a: Place, b: Place) =>
  a.time - b.time || (a.engine < b.engine ? -1 : Number(a.engine > b.engine));

const kinds: Readonly<Record<number, SubjectKind>> = {
  [SeriesSubject.FLEET]: 'fleet',
  [SeriesSubject.PROJECT]: 'project',
  [SeriesSubject.TARGET]: 'target',
  [SeriesSubject.CAMPAIGN]: 'campaign',
  [SeriesSubject.BOT]: 'bot',
  [SeriesSubject.JOB]: 'job',
};

function subjectIn({ subject, name, project }: GetSeriesRequest, found: Violations): string {
  const kind = kinds[subject];
  found.expect(kind !== undefined, 'subject', 'must be one of SeriesSubject');
  if (kind === undefined) return '';
  if (kind !== 'target') found.expect(project === '', 'project', 'is for TARGET alone');
  if (kind === 'fleet') {
    found.expect(name === '', 'name', 'must be empty: there is one fleet');
    return fleet;
  }
  if (kind === 'bot' || kind === 'job') found.id(name, 'name');
  else if (kind === 'project') found.expect(name !== '' && isProject(name), 'name', projectProblem);
  else found.text(name, 'name', { min: kind === 'target' ? 1 : 0, max: 128 });
  if (kind !== 'target') return subjectOf(kind, name);
  found.expect(isProject(project), 'project', projectProblem);
  return targetSubject(project || defaultProject, name);
}

function stepIn(seconds: number, ageMs: number, found: Violations): number {
  const known = steps.find((step) => step === seconds);
  found.expect(seconds === 0 || known !== undefined, 'step_seconds', 'must be 0, 10, 60 or 600');
  return known ?? steps.find((step) => ageMs <= (keptMs.get(step) ?? 0)) ?? 600;
}

const tokenAfter = ({ time, engine }: Place): string =>
  Buffer.from(JSON.stringify([time, engine])).toString('base64url');

function pointOf(token: string): Place | undefined {
  try {
    const place: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (!Array.isArray(place) || place.length !== 2) return undefined;
    const [time, engine] = place;
    if (!Number.isSafeInteger(time) || typeof engine !== 'string') return undefined;
    return tokenAfter({ time, engine }) === token ? { time, engine } : undefined;
  } catch {
    return undefined;
  }
}

const rowOf = (point: SeriesPoint): PointRow => ({
  time: point.time,
  engine: point.engine,
  looks: point.looks,
  rate_sum: point.rateSum,
  rate_min: point.rateMin,
  rate_max: point.rateMax,
  running_sum: point.runningSum,
  executions: point.executions,
  fuzzed_ms: point.fuzzedMs,
  crash_hits: point.crashHits,
  new_groups: point.newGroups,
  coverage: point.coverage,
  features: point.features,
  corpus_files: point.corpusFiles,
  corpus_bytes: point.corpusBytes,
  peak_memory_bytes: point.peakMemoryBytes,
});

const pointRecord = (row: PointRow): GetSeriesResponse['points'][number] => ({
  time: new Date(row.time),
  engine: row.engine,
  running: row.running_sum / row.looks,
  executionsPerSecond: row.rate_sum / row.looks,
  leastExecutionsPerSecond: row.rate_min,
  mostExecutionsPerSecond: row.rate_max,
  executions: row.executions,
  fuzzedMs: row.fuzzed_ms,
  crashHits: row.crash_hits,
  newGroups: row.new_groups,
  coverage: row.coverage,
  features: row.features,
  corpusFiles: row.corpus_files,
  corpusBytes: row.corpus_bytes,
  peakMemoryBytes: row.peak_memory_bytes,
});
