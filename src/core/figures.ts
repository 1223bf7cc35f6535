/** Figures as narrow as they can be: of `top`, whose columns stand still, and of the page. */

/** Three significant digits: "950", "12.3k", "4.5M"; 0 means zero. */
export function si(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let unit = 0;
  let scaled = value;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  if (unit === 0)
    return scaled > 0 && scaled < 9.95 ? trimmed(scaled.toFixed(1)) : scaled.toFixed(0);
  const digits = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
  return trimmed(scaled.toFixed(digits)) + units[unit];
}

const trimmed = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

/** "23,410" */
export const grouped = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');

/** Two units: "19h20m", "4m", "12s". */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days}d${hours % 24 > 0 ? `${hours % 24}h` : ''}`;
  if (hours > 0) return `${hours}h${minutes % 60 > 0 ? `${minutes % 60}m` : ''}`;
  return minutes > 0 ? `${minutes}m` : `${seconds}s`;
}

const blocks = [...'▁▂▃▄▅▆▇█'];
const ascii = [...'_.-=^'];

/** A curve in characters, on a scale of its own; a space where nothing was measured. */
export function spark(
  values: readonly (number | undefined)[],
  { width, isUtf8 }: { width: number; isUtf8: boolean },
): string {
  const shown = bucketed(values, width);
  const known = shown.filter((one) => one !== undefined);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const marks = isUtf8 ? blocks : ascii;
  return shown
    .map((value) => {
      if (value === undefined) return ' ';
      const share = most > least ? (value - least) / (most - least) : 0;
      return marks[Math.round(share * (marks.length - 1))];
    })
    .join('');
}

/** The largest of each bucket; as many as fit. */
function bucketed(values: readonly (number | undefined)[], width: number): (number | undefined)[] {
  return Array.from({ length: width }, (_, at) => {
    const from = Math.floor((at * values.length) / width);
    const to = Math.max(from + 1, Math.floor(((at + 1) * values.length) / width));
    const known = values.slice(from, to).filter((one) => one !== undefined);
    return known.length > 0 ? Math.max(...known) : undefined;
  });
}
