import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { covered } from '../format/figures.js';
import { drawMarks } from './draw-marks.js';
import type { Band, Mark } from './marks.js';

/** One curve with a time axis. In a file of its own: uPlot is loaded where a curve is shown. */

export interface PlotOptions {
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
  /** CSS variable of the line's colour. */
  readonly colour: string;
  readonly dash: readonly number[];
  /** Rates begin at zero; coverage may begin above. */
  readonly fromZero: boolean;
  readonly marks: readonly Mark[];
  readonly bands: readonly Band[];
  /** Called with the index under the cursor. */
  readonly onCursor: (index: number | null) => void;
}

const height = 140;

/** @returns what takes it away */
export function plot(place: HTMLElement, options: PlotOptions): () => void {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const isLong = (options.times.at(-1) ?? 0) - (options.times[0] ?? 0) > 100_000;
  const axis = {
    stroke: colour('--muted'),
    font: '12px system-ui',
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
  };
  const chart = new uPlot(
    {
      width: Math.max(200, place.clientWidth),
      height,
      legend: { show: false },
      cursor: { sync: { key: 'curves' }, y: false },
      hooks: {
        setCursor: [({ cursor }) => options.onCursor(cursor.idx ?? null)],
        draw: [(drawn) => drawMarks(drawn, { ...options, colour })],
      },
      scales: { x: { time: true }, y: { range: rangeFor(options.fromZero) } },
      // The master's zone is not known; times are UTC everywhere.
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((tick) => timeOf(tick, isLong)) },
        { ...axis, size: 72, incrs: whole, values: (_, ticks) => ticks.map(covered) },
      ],
      series: [
        {},
        {
          stroke: colour(options.colour),
          width: 2,
          dash: [...options.dash],
          spanGaps: false,
          points: { show: (_, __, from, to) => to - from < 3, size: 4 },
        },
      ],
    },
    [[...options.times], [...options.values]],
    place,
  );
  const sizes = new ResizeObserver(() => {
    chart.setSize({ width: Math.max(200, place.clientWidth), height });
  });
  sizes.observe(place);
  return () => {
    sizes.disconnect();
    chart.destroy();
  };
}

/** Steps of an axis: figures are whole. */
const whole = [1, 2, 5]
  .flatMap((step) => Array.from({ length: 13 }, (_, power) => step * 10 ** power))
  .sort((a, b) => a - b);

/** "06:31", or "11-28" where the axis has days. */
function timeOf(seconds: number, isLong: boolean): string {
  const text = new Date(seconds * 1000).toISOString();
  return isLong ? text.slice(5, 10) : text.slice(11, 16);
}

const rangeFor =
  (fromZero: boolean) =>
  (_: unknown, least: number | null, most: number | null): [number, number] => {
    const low = fromZero ? 0 : (least ?? 0);
    const high = most ?? 1;
    const space = Math.max((high - low) * 0.08, 1);
    return [fromZero ? 0 : Math.max(0, low - space), high + space];
  };
