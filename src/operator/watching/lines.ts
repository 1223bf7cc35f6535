import { styleText } from 'node:util';
import { plain } from '../../core/unseen.js';
import { jsonLine } from '../output.js';

/** One thing that happened, or that is as the watch begins. */
export interface Event {
  readonly time: Date;
  /** "job.running", "crash", "find": docs/terminal.md has them all. */
  readonly kind: string;
  /** For people, in one line. */
  readonly text: string;
  /** It was so as the watch began. */
  readonly before?: boolean;
  /** It says that something is wrong. */
  readonly isBad?: boolean;
  /** More for scripts. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export type Tell = (event: Event) => void;

export interface LineFlags {
  readonly json?: boolean;
  /** `-o jsonl` is `--json`. */
  readonly output?: 'text' | 'jsonl';
}

/** Writes events to standard output, as lines for people or as lines of JSON. */
export function writer({ json, output }: LineFlags): Tell {
  const asJson = json || output === 'jsonl';
  return (event) => void process.stdout.write(asJson ? jsonOf(event) : `${lineOf(event)}\n`);
}

const kindWidth = 18;

function lineOf({ time, kind, text, before, isBad }: Event): string {
  const at = time.toLocaleTimeString('sv');
  const when = before ? 'now     ' : at;
  const word = kind.padEnd(kindWidth);
  const shown = isBad ? styleText('red', word, { stream: process.stdout }) : word;
  return `${when}  ${shown}  ${text.split('\n').map(plain).join(' / ')}`;
}

const jsonOf = ({ time, kind, text, before = false, isBad = false, more = {} }: Event): string =>
  jsonLine({ time: time.toISOString(), kind, text, before, bad: isBad, ...more });
