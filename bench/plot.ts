import { type Figure, numberText, type Section } from './figure.js';

const [width, top, lineHeight] = [1000, 40, 21];
/** Ends of the axis, and how many times better or worse than the target they are. */
const [left, right, reach] = [468, 788, 8];
/** Of Okabe and Ito's palette, told apart by everybody. */
const colours = { met: '#0072b2', missed: '#d55e00' };

/** The figures that have a target as SVG: each on a line, by how many times better it is. */
export function plot(sections: readonly Section[]): string {
  const lines = sections.flatMap(({ about, figures }) => [
    text(16, 15, about, 'font-weight="bold"'),
    ...figures.filter(({ target }) => target).map(lineOf),
  ]);
  const height = top + lines.length * lineHeight + 16;
  const ticks = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8].map((times) => {
    const label = times === 1 ? 'target' : times < 1 ? `1/${1 / times}` : `${times}x`;
    const line = `stroke="${times === 1 ? '#1f2328' : '#e4e8ec'}"`;
    return `<path d="M${xOf(times)} ${top}V${height}" ${line}/>
${text(xOf(times), 28, label, 'text-anchor="middle"')}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">
<title>Figures of the benchmark beside their targets</title>
<rect width="${width}" height="${height}" rx="6" fill="#ffffff" stroke="#d0d7de"/>
${ticks.join('\n')}
${lines.map((line, i) => `<g transform="translate(0 ${top + i * lineHeight})">${line}</g>`).join('\n')}
</svg>
`;
}

function lineOf({ name, value, unit, spread, target, goodness, isMet, detail }: Figure): string {
  const verdict = isMet ? 'met' : 'missed';
  const colour = colours[verdict];
  const [x, from, to] = [value, ...spread].map((one) => xOf(goodness(one)));
  const words = `${numberText(value)} ${unit} (${target}) ${verdict}`;
  return `<g stroke="${colour}"><title>${escaped(`${name}: ${detail}`)}</title>
${text(left - 12, 15, name.replace(/^(.{65}).{2,}$/, '$1…'), 'text-anchor="end"')}
<path d="M${xOf(1)} 11H${x}" stroke-width="5" opacity="0.35"/>
<path d="M${from} 11H${to}M${from} 7v8M${to} 7v8"/><circle cx="${x}" cy="11" r="4" fill="${colour}"/>
${text(right + 12, 15, words, `fill="${colour}"`)}</g>`;
}

/** On the logarithmic axis; a figure beyond its ends is drawn at them. */
function xOf(times: number): number {
  const place = (Math.log(times) / Math.log(reach) + 1) / 2;
  return left + Math.min(Math.max(place, 0), 1) * (right - left);
}

const text = (x: number, y: number, words: string, attributes: string) =>
  `<text x="${x}" y="${y}" stroke="none" ${attributes}>${escaped(words)}</text>`;

const escaped = (words: string) => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
