import type { CampaignSpec, CampaignWindow } from '../../gen/pandafuzz/v1/campaign_service.js';

/** Windows of time in which a campaign runs, by the wall clock of its time zone. Times are ms since 1970. */

type Windows = Pick<CampaignSpec, 'windows' | 'timeZone'>;

const minuteMs = 60_000;
const dayMs = 86_400_000;
const minutesOfDay = 1440;
const mostWindows = 20;
const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

interface LocalTime {
  /** 1 (Monday) to 7 (Sunday). */
  readonly weekday: number;
  /** Of the day, 0 to 1439. */
  readonly minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const mostFormats = 100;

/** @throws RangeError for a time zone that there is not */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  });
  if (formats.size >= mostFormats) formats.clear();
  formats.set(timeZone, made);
  return made;
}

function localTime(timeZone: string, time: number): LocalTime {
  const parts = formatOf(timeZone || 'UTC').formatToParts(time);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  return {
    weekday: weekdays.indexOf(of('weekday')) + 1,
    minute: Number(of('hour')) * 60 + Number(of('minute')),
  };
}

/** Whether a campaign may run at this time. */
export function isOpen({ windows, timeZone }: Windows, time: number): boolean {
  if (windows.length === 0) return true;
  const at = localTime(timeZone, time);
  return windows.some((window) => isWithin(window, at));
}

function isWithin(
  { weekdays: days, fromMinute, toMinute }: CampaignWindow,
  at: LocalTime,
): boolean {
  const { weekday, minute } = at;
  const begins = (day: number) => days.length === 0 || days.includes(day);
  if (fromMinute < toMinute) {
    return begins(weekday) && minute >= fromMinute && minute < toMinute;
  }
  const yesterday = weekday === 1 ? 7 : weekday - 1;
  return (begins(weekday) && minute >= fromMinute) || (begins(yesterday) && minute < toMinute);
}

/**
 * When a window may begin or end next; null: never. Where the clocks change it may be a moment at
 * which nothing changes: the next one follows then.
 */
export function nextEdge({ windows, timeZone }: Windows, now: number): number | null {
  if (windows.length === 0) return null;
  const edges = new Set(windows.flatMap(({ fromMinute, toMinute }) => [fromMinute, toMinute]));
  const beginOfMinute = Math.floor(now / minuteMs) * minuteMs;
  let next = Number.POSITIVE_INFINITY;
  // The offset of today and that of tomorrow: they differ where the clocks change in between.
  for (const day of [0, 1]) {
    const { minute } = localTime(timeZone, beginOfMinute + day * dayMs);
    for (const edge of edges) {
      const inMinutes = (edge - minute + minutesOfDay) % minutesOfDay || minutesOfDay;
      next = Math.min(next, beginOfMinute + inMinutes * minuteMs);
    }
  }
  return next;
}

/** The fields that are wrong, each with what it must be. */
export function windowProblems({ windows, timeZone }: Windows): [field: string, problem: string][] {
  const problems: [string, string][] = [];
  if (windows.length > mostWindows) problems.push(['windows', `must be at most ${mostWindows}`]);
  for (const [index, window] of windows.slice(0, mostWindows).entries()) {
    const path = `windows[${index}]`;
    const isMinute = (minute: number) => minute >= 0 && minute < minutesOfDay;
    if (!isMinute(window.fromMinute)) problems.push([`${path}.from_minute`, minuteProblem]);
    if (!isMinute(window.toMinute)) problems.push([`${path}.to_minute`, minuteProblem]);
    const areDays = window.weekdays.length <= 7 && window.weekdays.every((d) => d >= 1 && d <= 7);
    if (!areDays) problems.push([`${path}.weekdays`, 'must be 1 (Monday) to 7 (Sunday)']);
  }
  if (!isTimeZone(timeZone)) {
    problems.push(['time_zone', 'must be the IANA name of a time zone, such as "Europe/Berlin"']);
  }
  return problems;
}

const minuteProblem = `must be 0 to ${minutesOfDay - 1}`;

function isTimeZone(name: string): boolean {
  if (name === '') return true;
  try {
    return name.length <= 64 && formatOf(name) !== undefined;
  } catch {
    return false;
  }
}
