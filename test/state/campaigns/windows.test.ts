import { describe, expect, test } from '@jest/globals';
import { parseWindow, windowText } from '../../../src/core/time-windows.js';
import { isOpen, nextEdge, windowProblems } from '../../../src/state/campaigns/windows.js';
import { given } from '../../steps.js';

const of = (text: string, timeZone = 'UTC') => ({ windows: [given(parseWindow(text))], timeZone });
const at = (text: string) => Date.parse(text);
const iso = (time: number | null) => (time === null ? null : new Date(time).toISOString());

describe('a window of time', () => {
  test.each([
    ['22:00-06:00', '22:00-06:00'],
    ['mon-fri 20:00-07:30', 'mon,tue,wed,thu,fri 20:00-07:30'],
    ['Sat,Sun 0:00-24:00', 'sat,sun 00:00-00:00'],
    ['fri-mon 9:00-17:00', 'mon,fri,sat,sun 09:00-17:00'],
  ])('is read as people write it: %s', (text, again) => {
    expect(windowText(given(parseWindow(text)))).toBe(again);
  });

  test.each([
    '22:00',
    '25:00-26:00',
    '22:60-23:00',
    'someday 22:00-23:00',
    'mon-tue-wed 1:00-2:00',
  ])('is refused: %s', (text) => {
    expect(parseWindow(text)).toBeUndefined();
  });

  test('over midnight belongs to the day on which it begins', () => {
    const nights = of('fri 22:00-06:00');
    // 2026-01-02 is a Friday.
    expect(isOpen(nights, at('2026-01-02T21:59:59Z'))).toBe(false);
    expect(isOpen(nights, at('2026-01-02T22:00Z'))).toBe(true);
    expect(isOpen(nights, at('2026-01-03T05:59Z'))).toBe(true);
    expect(isOpen(nights, at('2026-01-03T06:00Z'))).toBe(false);
    expect(isOpen(nights, at('2026-01-03T22:00Z'))).toBe(false);
    expect(iso(nextEdge(nights, at('2026-01-02T22:00Z')))).toBe('2026-01-03T06:00:00.000Z');
  });

  test('of all day is all day', () => {
    const weekend = of('sat,sun 00:00-24:00');
    expect(isOpen(weekend, at('2026-01-03T00:00Z'))).toBe(true);
    expect(isOpen(weekend, at('2026-01-04T23:59Z'))).toBe(true);
    expect(isOpen(weekend, at('2026-01-05T00:00Z'))).toBe(false);
  });

  test('is by the clock of its time zone, also where that changes', () => {
    const nights = of('22:00-06:00', 'Europe/Berlin');
    expect(isOpen(nights, at('2026-01-10T21:00Z'))).toBe(true);
    expect(isOpen(nights, at('2026-07-10T20:00Z'))).toBe(true);
    expect(isOpen(nights, at('2026-07-10T04:00Z'))).toBe(false);
    // On the night of 2026-03-29 the clock goes from 2:00 to 3:00.
    let time = at('2026-03-28T20:30Z');
    const changes: string[] = [];
    for (let was = isOpen(nights, time); changes.length < 3; ) {
      time = given(nextEdge(nights, time) ?? undefined);
      if (isOpen(nights, time) === was) continue;
      was = !was;
      changes.push(new Date(time).toISOString().slice(0, 16));
    }
    expect(changes).toEqual(['2026-03-28T21:00', '2026-03-29T04:00', '2026-03-29T20:00']);
  });

  test('that cannot be is refused by its field', () => {
    const window = { weekdays: [8], fromMinute: 1440, toMinute: 0 };
    expect(windowProblems({ windows: [window], timeZone: 'Mars/North' })).toEqual([
      ['windows[0].from_minute', expect.any(String)],
      ['windows[0].weekdays', expect.any(String)],
      ['time_zone', expect.any(String)],
    ]);
    expect(nextEdge({ windows: [], timeZone: '' }, 0)).toBeNull();
  });
});
