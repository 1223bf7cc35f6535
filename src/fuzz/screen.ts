import { createLogUpdate } from 'log-update';
import { plain } from '../operator/format.js';
import { isLiveTerminal } from '../operator/live-terminal.js';
import { headline, type Picture, picture } from './progress.js';

/** What people see while it runs, on standard error: the answer stands on standard output. */
export interface Screen {
  /** Something that happened: a line that stays. */
  note(line: string): void;
  show(state: Picture): void;
  end(): void;
}

/** A live picture on a terminal; elsewhere a line now and then. */
export const createScreen = (): Screen => (isLiveTerminal(process.stderr) ? live() : lines());

function live(): Screen {
  const area = createLogUpdate(process.stderr);
  return {
    note: (line) => area.persist(line),
    show: (state) => area(picture(state, roomOf(process.stderr))),
    end() {
      area.clear();
      area.done();
    },
  };
}

const roomOf = ({ rows, columns }: NodeJS.WriteStream) => ({
  lines: rows || 24,
  columns: columns || 80,
});

const lineEveryMs = 10_000;

function lines(): Screen {
  let nextAtMs = 0;
  const say = (line: string) => process.stderr.write(`${line}\n`);
  return {
    note: say,
    show(state) {
      if (state.elapsedMs < nextAtMs) return;
      nextAtMs = state.elapsedMs + lineEveryMs;
      say(headline(state));
      if (state.reason !== undefined) say(`waits: ${plain(state.reason)}`);
    },
    end() {},
  };
}
