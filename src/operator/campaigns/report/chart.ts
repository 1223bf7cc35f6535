import { count } from '../../format.js';
import type { Chart } from './blocks.js';
import { escaped } from './escape.js';

/** A curve as SVG, with the ends of its axes in words. */

const [width, height] = [720, 150];
const [left, right, top, bottom] = [64, 12, 26, 24];
/** Of Okabe and Ito's palette, told apart by everybody. */
const colour = '#0072b2';

export function chartSvg({ title, curve, isFromZero, isStanding }: Chart): string {
  const { points, stepMs } = curve;
  const values = points.map(({ value }) => value);
  const least = isFromZero ? 0 : Math.min(...values);
  const most = Math.max(...values, least);
  const begin = points[0]?.time ?? 0;
  const end = Math.max((points.at(-1)?.time ?? 0) + stepMs, begin + 1);
  const x = (time: number) => fixed(left + ((time - begin) / (end - begin)) * innerWidth);
  // A curve that stays where it is lies in the middle.
  const y = (value: number) =>
    fixed(top + (most > least ? 1 - (value - least) / (most - least) : 0.5) * innerHeight);
  const line = points
    .map(({ time, value }, index) => {
      const before = points[index - 1];
      const isGap = !before || (!isStanding && time - before.time > stepMs * 1.5);
      const step = isStanding && before ? `L${x(time)} ${y(before.value)}` : '';
      return `${isGap ? 'M' : `${step}L`}${x(time)} ${y(value)}h${fixed((stepMs / (end - begin)) * innerWidth)}`;
    })
    .join('');
  const floor = top + innerHeight;
  const about = `${title}: from ${count(values[0] ?? 0)} to ${count(values.at(-1) ?? 0)}, ${count(most)} at most`;
  return `<svg viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">
<title>${escaped(about)}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${label({ x: left, y: 15 }, title, 'font-weight="bold"')}
<path d="M${left} ${top}H${width - right}M${left} ${floor}H${width - right}" stroke="#d0d7de"/>
${most > least ? label({ x: left - 8, y: top + 4 }, count(most), 'text-anchor="end"') : ''}
${label({ x: left - 8, y: most > least ? floor + 4 : top + innerHeight / 2 + 4 }, count(least), 'text-anchor="end"')}
${label({ x: left, y: height - 6 }, clock(begin), '')}
${label({ x: width - right, y: height - 6 }, clock(end), 'text-anchor="end"')}
<path d="${line}" fill="none" stroke="${colour}" stroke-width="1.5" stroke-linejoin="round"/>
</svg>`;
}

const innerWidth = width - left - right;
const innerHeight = height - top - bottom;

/** In tenths of a pixel. */
const fixed = (value: number): string => String(Math.round(value * 10) / 10);

const label = ({ x, y }: { x: number; y: number }, words: string, attributes: string): string =>
  `<text x="${x}" y="${fixed(y)}" ${attributes}>${escaped(words)}</text>`;

const clock = (time: number): string =>
  `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
