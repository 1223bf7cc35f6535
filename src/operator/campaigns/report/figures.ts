import { unary } from '../../../client/call.js';
import type { Connection } from '../../../client/connect.js';
import type { FuzzingCampaign } from '../../../gen/pandafuzz/v1/campaign_service.js';
import { type SeriesPoint, SeriesSubject } from '../../../gen/pandafuzz/v1/statistics_service.js';
import type { CallOptions } from '../../submit.js';
import { type Curve, CurveInMaking, type Merging } from './curve.js';

/** The figures of a campaign over time, as far back as the master keeps them. */

export interface NamedCurve extends Curve {
  /** One of `coverage`, `executions_per_second`, `running` and `crash_groups`. */
  readonly figure: 'coverage' | 'executions_per_second' | 'running' | 'crash_groups';
  /** Of coverage, which engines count differently; else empty. */
  readonly engine: string;
}

export interface Figures {
  readonly curves: readonly NamedCurve[];
  /** Inputs executed, as far as figures are kept. */
  readonly executions: number;
  /** Crashes met. */
  readonly crashHits: number;
}

/** The engines of a campaign are fewer; each has a curve. */
const mostEngines = 20;
/** Figures of a year are fewer: 53 pages for each engine. */
const mostPages = 53 * mostEngines;
const minuteMs = 60_000;

export async function figuresOf(
  connection: Connection,
  campaign: FuzzingCampaign,
  options: CallOptions,
): Promise<Figures> {
  const own = await ownFigures(connection, campaign, options);
  const coverage = await coverageOf(connection, campaign, options);
  return { ...own, curves: [...coverage, ...own.curves] };
}

async function ownFigures(
  connection: Connection,
  campaign: FuzzingCampaign,
  options: CallOptions,
): Promise<Figures> {
  const made = {
    executions_per_second: new Later('mean'),
    running: new Later('mean'),
    crash_groups: new Later('largest'),
  };
  let [executions, crashHits, groups] = [0, 0, 0];
  const subject = { subject: SeriesSubject.CAMPAIGN, name: campaign.key, project: '' };
  for await (const { point, time, stepMs } of pointsOf(connection, campaign, subject, options)) {
    executions += point.executions;
    crashHits += point.crashHits;
    groups += point.newGroups;
    made.executions_per_second.add({ time, stepMs }, point.executionsPerSecond);
    made.running.add({ time, stepMs }, point.running);
    made.crash_groups.add({ time, stepMs }, groups);
  }
  const curves = Object.entries(made).map(([figure, { curve }]) => {
    return { figure: figure as keyof typeof made, engine: '', ...curve };
  });
  return { curves, executions, crashHits };
}

/** That of its target: runs of one target share a corpus. */
async function coverageOf(
  connection: Connection,
  campaign: FuzzingCampaign,
  options: CallOptions,
): Promise<NamedCurve[]> {
  const { project = '', targetName = '' } = campaign.spec ?? {};
  const engines = new Map<string, Later>();
  const subject = { subject: SeriesSubject.TARGET, name: targetName, project };
  for await (const { point, time, stepMs } of pointsOf(connection, campaign, subject, options)) {
    if (point.coverage === 0) continue;
    const curve = engines.get(point.engine) ?? new Later('largest');
    if (engines.size < mostEngines) engines.set(point.engine, curve);
    curve.add({ time, stepMs }, point.coverage);
  }
  return [...engines].map(([engine, { curve }]) => ({ figure: 'coverage', engine, ...curve }));
}

/** A curve whose step the first point shows. */
class Later {
  #making: CurveInMaking | undefined;

  constructor(private readonly merging: Merging) {}

  add({ time, stepMs }: { time: number; stepMs: number }, value: number): void {
    this.#making ??= new CurveInMaking(stepMs, this.merging);
    this.#making.add(time, value);
  }

  get curve(): Curve {
    return this.#making?.curve ?? { stepMs: 0, points: [] };
  }
}

interface PointInTime {
  readonly point: SeriesPoint;
  readonly time: number;
  readonly stepMs: number;
}

/** Since the campaign was made, the oldest first. */
async function* pointsOf(
  { statistics }: Connection,
  { createdAt }: FuzzingCampaign,
  subject: { subject: SeriesSubject; name: string; project: string },
  options: CallOptions,
): AsyncGenerator<PointInTime> {
  const begin = createdAt?.getTime() ?? 0;
  const request = {
    ...subject,
    from: new Date(begin - (begin % minuteMs)),
    to: undefined,
    pageSize: 0,
  };
  let [pageToken, stepSeconds] = ['', 0];
  for (let pages = 0; pages < mostPages; pages++) {
    const asked = { ...request, pageToken, stepSeconds };
    const answer = await unary(statistics, statistics.getSeries, asked, options);
    // Later pages have the step of the first, however long reading takes.
    stepSeconds = answer.stepSeconds;
    for (const point of answer.points) {
      if (point.time) yield { point, time: point.time.getTime(), stepMs: stepSeconds * 1000 };
    }
    pageToken = answer.nextPageToken;
    if (pageToken === '') return;
  }
}
