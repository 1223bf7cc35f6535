/** Figures and times as people read them. */

/** "12 s", "3 min", "2 h", "5 d": the largest unit that fits. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** "3 min ago"; "-" for a time that has not come. */
export function ago(time: Date | undefined, now: number): string {
  return time ? `${duration(now - time.getTime())} ago` : '-';
}

/** "15:04:05 today", or the date for older ones; local time. */
export function clockTime(time: Date | undefined, now: number): string {
  if (!time) return '-';
  const sameDay = new Date(now).toDateString() === time.toDateString();
  const day = sameDay ? '' : `${time.toLocaleDateString('sv')} `;
  return day + time.toLocaleTimeString('sv');
}

/** "512 B", "1.5 KiB", "3.2 GiB". */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** "950", "12.3k", "4.5M". */
export function count(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let scaled = value;
  let unit = 0;
  for (; scaled >= 1000 && unit < units.length - 1; unit++) scaled /= 1000;
  return unit === 0 ? String(Math.round(scaled)) : scaled.toFixed(1) + units[unit];
}

export { plain, plainLines } from '../core/unseen.js';
