import { plainLines } from '../../format.js';
import type { Block, BlockColumn } from './blocks.js';
import { chartSvg } from './chart.js';
import { escaped } from './escape.js';
import { htmlDocument } from './html-document.js';

/** A report as one HTML file. */
export function htmlReport(blocks: readonly Block[]): string {
  const title = blocks.find((block) => block.kind === 'heading')?.text ?? 'Campaign';
  return htmlDocument({ title, style, body: blocks.map(htmlOf).join('\n') });
}

const style = `
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; color: #1f2328; background: #fff; overflow-wrap: anywhere; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: 14px; overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #d0d7de; }
.r { text-align: right; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .1rem 1rem; }
dt { color: #59636e; }
dd { margin: 0; }
pre { background: #f6f8fa; padding: .75rem; overflow-x: auto; font-size: 13px; overflow-wrap: normal; }
svg { display: block; width: 100%; height: auto; margin: .5rem 0; }
h2 { border-bottom: 1px solid #d0d7de; margin-top: 2rem; }
`;

function htmlOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level}>${escaped(block.text)}</h${block.level}>`;
    case 'text':
      return `<p>${escaped(block.text)}</p>`;
    case 'facts':
      return `<dl>\n${block.facts
        .map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`)
        .join('\n')}\n</dl>`;
    case 'table':
      return htmlTable(block);
    case 'charts':
      return block.charts.map(chartSvg).join('\n');
    case 'code':
      return `<pre><code>${plainLines(block.code).split('\n').map(escaped).join('\n')}</code></pre>`;
  }
}

function htmlTable({ columns, rows }: Extract<Block, { kind: 'table' }>): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]) =>
    columns.map((column, at) => `<${tag}${sideOf(column)}>${escaped(row[at] ?? '')}</${tag}>`);
  const head = columns.map(({ name }) => name);
  const line = (tag: 'th' | 'td', row: readonly string[]) => `<tr>${cells(tag, row).join('')}</tr>`;
  return `<table>
<thead>${line('th', head)}</thead>
<tbody>
${rows.map((row) => line('td', row)).join('\n')}
</tbody>
</table>`;
}

const sideOf = ({ right = false }: BlockColumn): string => (right ? ' class="r"' : '');
