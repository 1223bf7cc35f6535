/** Windows of time of campaigns as people write them: "22:00-06:00", "mon-fri 22:00-06:00". */

export interface TimeWindow {
  /** 1 (Monday) to 7 (Sunday); empty: every day. */
  readonly weekdays: number[];
  /** Minutes of the day, 0 to 1439. */
  readonly fromMinute: number;
  readonly toMinute: number;
}

const names = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** @returns undefined for what is no window */
export function parseWindow(text: string): TimeWindow | undefined {
  const pattern = /^(?:([a-z,-]+)\s+)?(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)$/;
  const [, days, ...numbers] = pattern.exec(text.trim().toLowerCase()) ?? [];
  const [fromHour = 99, fromMin = 99, toHour = 99, toMin = 99] = numbers.map(Number);
  const weekdays = days === undefined ? [] : parseDays(days);
  const isEnd = toHour === 24 && toMin === 0;
  const areHours = fromHour < 24 && (toHour < 24 || isEnd);
  if (!weekdays || !areHours || fromMin > 59 || toMin > 59) return undefined;
  return { weekdays, fromMinute: fromHour * 60 + fromMin, toMinute: (toHour % 24) * 60 + toMin };
}

/** "mon-fri", "sat,sun", "fri-mon"; undefined: no days. */
function parseDays(text: string): number[] | undefined {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first = '', last = first, ...more] = part.split('-');
    const [from, to] = [names.indexOf(first), names.indexOf(last)];
    if (from === -1 || to === -1 || more.length > 0) return undefined;
    for (let day = from; ; day = (day + 1) % 7) {
      days.add(day + 1);
      if (day === to) break;
    }
  }
  return [...days].sort((a, b) => a - b);
}

/** As it is parsed. */
export function windowText({ weekdays, fromMinute, toMinute }: TimeWindow): string {
  const days = weekdays.map((day) => names[day - 1] ?? '?').join(',');
  return `${days === '' ? '' : `${days} `}${clock(fromMinute)}-${clock(toMinute)}`;
}

const clock = (minute: number): string =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
