import { call } from '../api/call.js';
import { masterNow } from '../api/line.js';
import { num } from '../format/figures.js';
import type { SeriesPoint, SeriesSubject } from '../gen/pandafuzz/v1/statistics_service.js';

/** Windows of time that curves show, by the word in the address. */
export const windows = { '1h': 3600, '6h': 21_600, '24h': 86_400, '7d': 604_800 } as const;
export type Window = keyof typeof windows;

/** Buckets that are drawn: by window, seconds. */
const steps: Readonly<Record<Window, number>> = { '1h': 10, '6h': 60, '24h': 600, '7d': 600 };

export interface Subject {
  readonly subject: SeriesSubject;
  readonly name: string;
  readonly project?: string;
}

export interface Series {
  readonly stepSeconds: number;
  /** Begins of the buckets, seconds since 1970, without gaps. */
  readonly times: readonly number[];
  /** By engine; of subjects without engines, by the empty name. */
  readonly engines: ReadonlyMap<string, readonly (SeriesPoint | undefined)[]>;
}

/** A window of a week has 1008 buckets for each engine. */
const mostPages = 8;

export async function readSeries(of: Subject, window: Window, abort: AbortSignal): Promise<Series> {
  const stepSeconds = steps[window];
  const last = Math.floor(masterNow() / 1000 / stepSeconds) * stepSeconds;
  const first = last - Math.floor(windows[window] / stepSeconds) * stepSeconds;
  const from = new Date(first * 1000).toISOString();
  const points: SeriesPoint[] = [];
  let pageToken = '';
  for (let page = 0; page < mostPages; page++) {
    const request = { ...of, from, stepSeconds, pageSize: 1000, pageToken };
    const answer = await call('StatisticsService', 'GetSeries', request, abort);
    points.push(...(answer.points ?? []));
    pageToken = answer.nextPageToken ?? '';
    if (pageToken === '') break;
  }
  const count = (last - first) / stepSeconds + 1;
  const times = Array.from({ length: count }, (_, index) => first + index * stepSeconds);
  const engines = new Map<string, (SeriesPoint | undefined)[]>();
  for (const point of points) {
    const line = engines.get(point.engine ?? '') ?? Array.from({ length: count }, () => undefined);
    engines.set(point.engine ?? '', line);
    line[Math.round((Date.parse(point.time ?? '') / 1000 - first) / stepSeconds)] = point;
  }
  return { stepSeconds, times, engines };
}

/**
 * Where nothing was measured in most of the window, its end alone: it begins shortly before the
 * first measure, so that what has just begun is no dot at the edge.
 */
export function fromFirst(of: readonly Series[]): Series[] {
  const begins = of.flatMap(({ times, engines }) =>
    [...engines.values()].map((line) => times[line.findIndex((point) => point !== undefined)] ?? 0),
  );
  const begin = Math.min(...begins);
  return of.map((series) => {
    const { times, engines, stepSeconds } = series;
    const index = times.indexOf(begin);
    if (index < times.length / 2) return series;
    const rest = Math.max(times.length - index, leastShown);
    const cut = Math.max(0, times.length - rest - Math.max(3, Math.round(rest / 10)));
    const lines = [...engines].map(([engine, line]) => [engine, line.slice(cut)] as const);
    return { stepSeconds, times: times.slice(cut), engines: new Map(lines) };
  });
}

/** Buckets. */
const leastShown = 30;

export type Figure = 'coverage' | 'executionsPerSecond' | 'running' | 'corpusFiles';

/** Null: not measured, which is a gap. */
export const valuesOf = (line: readonly (SeriesPoint | undefined)[], figure: Figure) =>
  line.map((point) => (point === undefined ? null : num(point[figure])));
