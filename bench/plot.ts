import type { Figure, Target } from './figure.js';
import { type Section, valueText } from './report.js';

/**
 * The figures that have a target at one glance, as SVG: each on a line, by how many
 * times better than its target it is, whichever way round that is. Written by hand:
 * the libraries that draw without a browser bring 16 to 67 MB to every checkout.
 */
export function plot(sections: readonly Section[]): string {
  const lines = sections.flatMap(linesOf);
  const height = top + lines.length * lineHeight + bottom;
  const drawn = lines.map((line, index) => drawLine(line, top + index * lineHeight));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12" fill="${ink}">
<title>Figures of the benchmark beside their targets</title>
<rect width="${width}" height="${height}" rx="6" fill="#ffffff" stroke="#d0d7de"/>
${axis(height)}
${drawn.join('\n')}
${legend(height)}
</svg>
`;
}

type Held = Figure & { readonly target: Target };
type Line = { readonly heading: string } | { readonly figure: Held };

const [width, top, bottom, lineHeight] = [1000, 56, 44, 21];
/** Ends of the axis, and how many times better or worse than the target they are. */
const [left, right, reach] = [468, 788, 8];
const ink = '#1f2328';
const faint = '#57606a';
/** Of Okabe and Ito's palette, told apart by everybody; the shapes differ too. */
const met = '#0072b2';
const missed = '#d55e00';

function linesOf({ about, figures }: Section): Line[] {
  const held = figures.filter((figure): figure is Held => figure.target !== undefined);
  if (held.length === 0) return [];
  return [{ heading: about }, ...held.map((figure) => ({ figure }))];
}

/** 2: twice as good as the target asks for. */
function goodness(value: number, { is, bound }: Target): number {
  if (is === '>=') return value / bound;
  return value <= 0 ? Number.POSITIVE_INFINITY : bound / value;
}

/** On the logarithmic axis; a figure beyond its ends is drawn at them. */
function xOf(times: number): number {
  const place = (Math.log(times) / Math.log(reach) + 1) / 2;
  return left + Math.min(Math.max(place, 0), 1) * (right - left);
}

function axis(height: number): string {
  const [from, to, middle] = [top - 8, height - bottom + 4, xOf(1)];
  const ticks = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8].map((times) => {
    const label = times === 1 ? 'target' : times < 1 ? `1/${1 / times}` : `${times}x`;
    const line = times === 1 ? `stroke="${ink}" stroke-width="1.5"` : 'stroke="#e4e8ec"';
    const weight = times === 1 ? ' font-weight="bold"' : ` fill="${faint}"`;
    return `<path d="M${xOf(times)} ${from}V${to}" ${line}/>${text(xOf(times), from - 6, label, `text-anchor="middle" font-size="11"${weight}`)}`;
  });
  return `<rect x="${left}" y="${from}" width="${middle - left}" height="${to - from}" fill="#fdf3ec"/>
<rect x="${middle}" y="${from}" width="${right - middle}" height="${to - from}" fill="#eef5fa"/>
${ticks.join('\n')}
${text((left + middle) / 2, 22, 'worse', `text-anchor="middle" fill="${missed}"`)}
${text((middle + right) / 2, 22, 'better', `text-anchor="middle" fill="${met}"`)}`;
}

function drawLine(line: Line, y: number): string {
  if ('heading' in line) {
    return text(16, y + 15, line.heading, 'font-weight="bold"');
  }
  const { name, value, spread, target, isMet, detail } = line.figure;
  const [x, middle, colour] = [xOf(goodness(value, target)), y + 11, isMet ? met : missed];
  const [from, to] = spread.map((one) => xOf(goodness(one, target))) as [number, number];
  const verdict = `${valueText(line.figure)} (${target.is} ${target.bound})`;
  return `<g><title>${escaped(`${name}: ${detail}`)}</title>
${text(left - 12, y + 15, shortened(name), 'text-anchor="end"')}
<path d="M${xOf(1)} ${middle}H${x}" stroke="${colour}" stroke-width="5" opacity="0.35"/>
<path d="M${from} ${middle}H${to}M${from} ${middle - 4}v8M${to} ${middle - 4}v8" stroke="${colour}" stroke-width="1.5" fill="none"/>
${marker(x, middle, isMet)}
${text(right + 12, y + 15, verdict, '')}${text(width - 14, y + 15, isMet ? 'met' : 'missed', `text-anchor="end" fill="${colour}" font-weight="${isMet ? 'normal' : 'bold'}"`)}</g>`;
}

const marker = (x: number, y: number, isFine: boolean) =>
  isFine
    ? `<circle cx="${x}" cy="${y}" r="4.5" fill="${met}"/>`
    : `<path d="M${x} ${y - 6}l6 6l-6 6l-6 -6z" fill="${missed}"/>`;

function legend(height: number): string {
  const y = height - 16;
  return `${marker(24, y - 4, true)}${text(34, y, 'met', '')}
${marker(76, y - 4, false)}${text(88, y, 'missed', '')}
${text(146, y, 'Whisker: the rounds, smallest to largest; of latencies, from the median to the longest. The axis ends at 8 times; a figure beyond is at its end.', `fill="${faint}" font-size="11"`)}`;
}

const text = (x: number, y: number, words: string, attributes: string) =>
  `<text x="${x}" y="${y}" ${attributes}>${escaped(words)}</text>`;

const escaped = (words: string) =>
  words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** As much as fits beside the axis; the whole name is in the table. */
const shortened = (name: string) => (name.length <= 66 ? name : `${name.slice(0, 65)}…`);
