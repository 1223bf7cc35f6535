import { type Figure, type Section, type Target, valueText } from './figure.js';

const [width, top, lineHeight] = [1000, 40, 21];
/** Ends of the axis, and how many times better or worse than the target they are. */
const [left, right, reach] = [468, 788, 8];
/** Of Okabe and Ito's palette, told apart by everybody. */
const colours = { met: '#0072b2', missed: '#d55e00' };

/**
 * The figures that have a target at one glance, as SVG: each on a line, by how many
 * times better than its target it is, with its spread. Written by hand: the libraries
 * that draw without a browser bring 16 to 67 MB to every checkout.
 */
export function plot(sections: readonly Section[]): string {
  const lines = sections.flatMap(({ about, figures }) => [
    (y: number) => text(16, y + 15, about, 'font-weight="bold"'),
    ...figures.flatMap((figure) => lineOf(figure, figure.target) ?? []),
  ]);
  const height = top + lines.length * lineHeight + 16;
  const ticks = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8].map((times) => {
    const label = times === 1 ? 'target' : times < 1 ? `1/${1 / times} (worse)` : `${times}x`;
    return `<path d="M${xOf(times)} ${top}V${height}" stroke="${times === 1 ? '#1f2328' : '#e4e8ec'}"/>
${text(xOf(times), 28, label, 'text-anchor="middle"')}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">
<title>Figures of the benchmark beside their targets</title>
<rect width="${width}" height="${height}" rx="6" fill="#ffffff" stroke="#d0d7de"/>
${ticks.join('\n')}
${lines.map((line, index) => line(top + index * lineHeight)).join('\n')}
</svg>
`;
}

function lineOf(figure: Figure, target?: Target): ((y: number) => string) | undefined {
  if (!target) return undefined;
  const { name, value, spread, isMet, detail } = figure;
  const verdict = isMet ? 'met' : 'missed';
  const colour = colours[verdict];
  const [x, from, to] = [value, ...spread].map((one) => xOf(goodness(one, target)));
  const bound = `${valueText(figure)} (${target.is} ${target.bound})`;
  return (y) => `<g stroke="${colour}"><title>${escaped(`${name}: ${detail}`)}</title>
${text(left - 12, y + 15, name.slice(0, 66), 'text-anchor="end"')}
<path d="M${xOf(1)} ${y + 11}H${x}" stroke-width="5" opacity="0.35"/>
<path d="M${from} ${y + 11}H${to}M${from} ${y + 7}v8M${to} ${y + 7}v8"/>
<circle cx="${x}" cy="${y + 11}" r="4" fill="${colour}"/>
${text(right + 12, y + 15, `${bound} ${verdict}`, `fill="${colour}"`)}</g>`;
}

/** 2: twice as good as the target asks for. */
const goodness = (value: number, { is, bound }: Target) =>
  is === '>=' ? value / bound : bound / Math.max(value, Number.MIN_VALUE);

/** On the logarithmic axis; a figure beyond its ends is drawn at them. */
const xOf = (times: number) => {
  const place = (Math.log(times) / Math.log(reach) + 1) / 2;
  return left + Math.min(Math.max(place, 0), 1) * (right - left);
};

const text = (x: number, y: number, words: string, attributes: string) =>
  `<text x="${x}" y="${y}" stroke="none" ${attributes}>${escaped(words)}</text>`;

const escaped = (words: string) => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
