import { useMemo } from 'preact/hooks';
import { useAsk } from '../api/ask.js';
import { masterNow } from '../api/line.js';
import { Panel } from '../frame/panel.js';
import type { CampaignEvent } from '../gen/pandafuzz/v1/campaign_service.js';
import { Link, place, withQuery } from '../route/route.js';
import { Curve } from './curve.js';
import { MarkList } from './mark-list.js';
import { marksOfEvents, pausesOf, readMarks } from './marks.js';
import {
  fromFirst,
  readSeries,
  type Series,
  type Subject,
  valuesOf,
  type Window,
  windows,
} from './series.js';

const everyMs = 10_000;
const none: readonly CampaignEvent[] = [];

interface CurvesProps {
  coverage: Subject | undefined;
  speed: Subject;
  /** Its builds and groups are marked. */
  target?: { readonly project: string; readonly name: string };
  /** Of a campaign: they are marked, too. */
  events?: readonly CampaignEvent[];
}

/** Coverage of each engine, one under the other as they count differently, and the speed of all. */
export function Curves({ coverage, speed, target, events = none }: CurvesProps) {
  const window = windowHere();
  const name = JSON.stringify([coverage, speed, window]);
  const answer = useAsk(
    `curves ${name}`,
    async (signal) => {
      const first = masterNow() / 1000 - windows[window];
      const [covered, fast, marks] = await Promise.all([
        coverage && readSeries(coverage, window, signal),
        readSeries(speed, window, signal),
        // A curve without marks is better than none.
        target ? readMarks(target, first, signal).catch(() => []) : [],
      ]);
      const [shownSpeed = fast, shownCoverage] = fromFirst(covered ? [fast, covered] : [fast]);
      return { coverage: shownCoverage, speed: shownSpeed, marks };
    },
    everyMs,
  );
  const { value } = answer;
  const lines = useMemo(
    () => [
      ...(value?.coverage ? coverageLines(value.coverage) : []),
      ...(value ? speedLines(value.speed) : []),
    ],
    [value],
  );
  const [first = 0, last = 0] = [value?.speed.times[0], value?.speed.times.at(-1)];
  const named = events.map(({ time, kind }) => `${time} ${kind}`).join();
  const marks = useMemo(
    () => [...(value?.marks ?? []), ...marksOfEvents(events)].filter(({ at }) => at >= first),
    [value, named],
  );
  const bands = useMemo(() => pausesOf(events, last), [value, named]);
  return (
    <Panel title="Over time" of={answer}>
      <p class="windows">
        {Object.keys(windows).map((one) => (
          <Link key={one} to={withQuery({ t: one })} isHere={one === window}>
            {one}
          </Link>
        ))}
      </p>
      {lines.map((line) => (
        <Curve key={line.title} {...line} marks={marks} bands={bands} />
      ))}
      <MarkList of={marks} isPaused={bands.some(({ to }) => to > first)} />
    </Panel>
  );
}

function windowHere(): Window {
  const asked = place.value.query.get('t') ?? '';
  return Object.hasOwn(windows, asked) ? (asked as Window) : '1h';
}

const coverageLines = ({ times, stepSeconds, engines }: Series) =>
  [...engines].map(([engine, points], index) => ({
    ...{ title: `Coverage, ${engine}`, unit: 'as it counts', times, stepSeconds, index },
    ...{ fromZero: false, values: valuesOf(points, 'coverage') },
  }));

function speedLines({ times, stepSeconds, engines }: Series) {
  const all = [...engines.values()];
  const values = times.map((_, at) => {
    const here = all.flatMap((line) => line[at] ?? []);
    if (here.length === 0) return null;
    return here.reduce((sum, { executionsPerSecond = 0 }) => sum + Number(executionsPerSecond), 0);
  });
  return [
    {
      title: 'Speed',
      unit: 'exec/s',
      times,
      stepSeconds,
      values,
      index: engines.size,
      fromZero: true,
    },
  ];
}
