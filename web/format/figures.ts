import { age, grouped, si } from '../../src/core/figures.js';

/** Figures as the page shows them: `top` has the same, without the spaces. */

export { grouped, si };

/** The figure of a field that JSON sends as text, or leaves out where it is zero. */
export function num(value: string | number | undefined): number {
  const figure = Number(value ?? 0);
  return Number.isFinite(figure) ? figure : 0;
}

/** "19 h 20 m", "4 m", "12 s" */
export const duration = (ms: number): string =>
  Number.isFinite(ms)
    ? age(ms)
        .replace(/(\d+)([a-z])/g, '$1 $2 ')
        .trim()
    : '–';

/** "512 B", "1.5 KiB" */
export function bytes(value: string | number | undefined): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [scaled, unit] = [num(value), 0];
  for (; scaled >= 1024 && unit < units.length - 1; unit++) scaled /= 1024;
  return `${unit === 0 ? scaled : scaled.toFixed(1)} ${units[unit]}`;
}

/** Whole, as long as it fits its column. */
export const covered = (edges: number): string => (edges < 10_000_000 ? grouped(edges) : si(edges));

/** "1 job", "3 jobs" */
export const many = (figure: number, one: string, several = `${one}s`): string =>
  `${si(figure)} ${figure === 1 ? one : several}`;

/** "2026-11-28 01:47:36 UTC"; a dash for what is no time. */
export function utc(time: string | number | undefined): string {
  const date = new Date(time ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return '–';
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** An id as lists show it: the time that a UUIDv7 begins with, as the command has it. */
export const short = (id: string | undefined): string => (id ?? '').slice(0, 13);
