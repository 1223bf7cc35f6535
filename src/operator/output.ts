import { plain, plainJson } from '../core/unseen.js';

/**
 * An answer on standard output: one JSON document for scripts, text for people.
 * `json` is in protobuf's own JSON form, with what a terminal would obey as escapes.
 */
export function print(
  asJson: boolean | undefined,
  answer: { json: () => unknown; text: () => string },
): void {
  const text = asJson ? plainJson(JSON.stringify(answer.json(), null, 2)) : answer.text();
  process.stdout.write(`${text}\n`);
}

/** Lines on standard error, cleaned for the terminal; those after the first are indented. */
export function complain(about: string): void {
  const lines = about.split('\n').map(plain);
  process.stderr.write(`pandafuzz: ${lines.join('\n  ')}\n`);
}
