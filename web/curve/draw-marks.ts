import type uPlot from 'uplot';
import { type Band, type DrawnMark, joined, type Mark } from './marks.js';

/** Draws marks and bands over a curve, on its canvas. `colour`: of a CSS variable. */
export function drawMarks(
  { ctx, bbox, valToPos }: uPlot,
  of: { marks: readonly Mark[]; bands: readonly Band[]; colour: (name: string) => string },
): void {
  const { colour } = of;
  const xOf = (at: number) => valToPos(at, 'x', true);
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.globalAlpha = 0.25;
  ctx.fillStyle = colour('--muted');
  for (const { from, to } of of.bands) {
    const left = Math.max(bbox.left, xOf(from));
    const width = Math.min(right, xOf(to)) - left;
    if (width > 0) ctx.fillRect(left, bbox.top, width, bbox.height);
  }
  ctx.globalAlpha = 1;
  // What the curve and its axes were drawn with is still set.
  ctx.setLineDash([]);
  ctx.textBaseline = 'alphabetic';
  ctx.font = `${11 * devicePixelRatio}px system-ui`;
  for (const drawn of joined(of.marks, (at) => xOf(at) / devicePixelRatio)) {
    const x = drawn.x * devicePixelRatio;
    if (x < bbox.left || x > right) continue;
    ctx.fillStyle = ctx.strokeStyle = colour(drawn.kind === 'group' ? '--new' : '--text');
    drawOne(ctx, drawn, { x, top: bbox.top, bottom: bbox.top + bbox.height, right });
  }
  ctx.restore();
}

function drawOne(
  ctx: CanvasRenderingContext2D,
  { kind, marks }: DrawnMark,
  { x, top, bottom, right }: { x: number; top: number; bottom: number; right: number },
): void {
  const size = devicePixelRatio;
  const number = marks.length > 1 ? String(marks.length) : '';
  const isAtEnd = right - x < 64 * size;
  ctx.textAlign = isAtEnd ? 'right' : 'left';
  const beside = (pixels: number) => x + (isAtEnd ? -pixels : pixels) * size;
  ctx.lineWidth = size;
  ctx.beginPath();
  if (kind === 'group') {
    ctx.arc(x, bottom - 4 * size, 4 * size, 0, 2 * Math.PI);
    ctx.fill();
    ctx.fillText(number, beside(6), bottom - 2 * size);
    return;
  }
  ctx.moveTo(x, kind === 'build' ? top : bottom - 12 * size);
  ctx.lineTo(x, bottom);
  ctx.stroke();
  // Ids are hexadecimal digits: nothing that a target wrote is drawn here.
  const name = kind === 'build' ? number || marks[0]?.text.slice(0, 8) : number;
  ctx.fillText(name ?? '', beside(3), kind === 'build' ? top + 10 * size : bottom - 10 * size);
}
