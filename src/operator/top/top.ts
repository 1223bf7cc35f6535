import { failureOf } from '../../client/failure.js';
import { sleep, systemClock } from '../../core/clock.js';
import { age } from '../../core/figures.js';
import { isLiveTerminal } from '../live-terminal.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { draw, type View } from './draw.js';
import { entriesOf, type Sort, sorts } from './entries.js';
import { Live } from './live.js';
import { readState, type TopState, topJson } from './state.js';

export interface TopFlags extends Flags {
  readonly once?: boolean;
  readonly project?: string;
  readonly sort: Sort;
  readonly why?: boolean;
}

const lookEveryMs = 2000;
const width = 80;

/** `pandafuzz top`: once, or on a terminal until it is ended. */
export async function top(flags: TopFlags): Promise<void> {
  const isLive =
    !flags.once && !flags.json && isLiveTerminal(process.stdout) && process.stdin.isTTY;
  await (isLive ? live(flags) : once(flags));
}

function once(flags: TopFlags): Promise<void> {
  return asking(flags, async (connection, options) => {
    const state = await readState(connection, flags.project ?? '', options);
    const view: View = {
      columns: process.stdout.isTTY ? process.stdout.columns : width,
      rows: undefined,
      isUtf8: isUtf8(),
      sort: flags.sort,
      chosen: -1,
      why: flags.why ?? false,
      line: '',
      keys: undefined,
    };
    print(flags, { json: () => topJson(state), text: () => draw(state, view).join('\n') });
  });
}

const help = 'j k choose  w why  s sort  p pause  q quit';

function live(flags: TopFlags): Promise<void> {
  return asking(flags, async (connection, options) => {
    let state: TopState | undefined;
    let seenAt = systemClock.monotonic();
    let isPaused = false;
    let [sort, chosen, why] = [flags.sort, 0, flags.why ?? false];
    const stop = new AbortController();
    const signal = AbortSignal.any([options.signal, stop.signal]);
    const screen = new Live((key) => {
      const last = (state ? entriesOf(state.targets).length : 1) - 1;
      if (key === 'q' || key === '\u0003') stop.abort();
      if (key === 'j' || key === '\u001b[B') chosen = Math.min(chosen + 1, last);
      if (key === 'k' || key === '\u001b[A') chosen = Math.max(chosen - 1, 0);
      if (key === 'g') chosen = 0;
      if (key === 'G') chosen = last;
      if (key === 'w') why = !why;
      if (key === 's') sort = sorts[(sorts.indexOf(sort) + 1) % sorts.length] ?? 'health';
      if (key === 'p') isPaused = !isPaused;
      show();
    });
    function show(): void {
      if (!state) return;
      const oldMs = systemClock.monotonic() - seenAt;
      const isOld = oldMs > 3 * lookEveryMs;
      const line = isPaused
        ? 'paused'
        : isOld
          ? `master away ${age(oldMs)}, trying again`
          : `live ${age(oldMs)}`;
      const keys = `${help}  sorted by ${sort}`;
      screen.show(draw(state, { ...screen.size, isUtf8: isUtf8(), sort, chosen, why, line, keys }));
    }
    try {
      for (;;) {
        if (!isPaused) {
          try {
            state = await readState(connection, flags.project ?? '', { ...options, signal });
            seenAt = systemClock.monotonic();
          } catch (error) {
            // The first answer has to come; later the picture stays until the master is back.
            if (!state || signal.aborted || failureOf(error) === undefined) throw error;
          }
        }
        screen.begin();
        show();
        await sleep(systemClock, lookEveryMs, signal);
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      screen.end();
    }
  });
}

const isUtf8 = (): boolean => {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
};
