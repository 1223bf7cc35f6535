import { useMemo } from 'preact/hooks';
import { useAsk } from '../api/ask.js';
import { Panel } from '../frame/panel.js';
import { Link, place, withQuery } from '../route/route.js';
import { Curve } from './curve.js';
import { readSeries, type Series, type Subject, valuesOf, type Window, windows } from './series.js';

const everyMs = 10_000;

/** Coverage of each engine, one under the other as they count differently, and the speed of all. */
export function Curves({ coverage, speed }: { coverage: Subject | undefined; speed: Subject }) {
  const window = windowHere();
  const name = JSON.stringify([coverage, speed, window]);
  const answer = useAsk(
    `curves ${name}`,
    async (signal) => ({
      coverage: coverage && (await readSeries(coverage, window, signal)),
      speed: await readSeries(speed, window, signal),
    }),
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
        <Curve key={line.title} {...line} />
      ))}
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
