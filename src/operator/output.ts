import { plain } from './format.js';

/**
 * An answer on standard output: one JSON document for scripts, text for people.
 * `json` is in protobuf's own JSON form.
 */
export function print(
  asJson: boolean | undefined,
  answer: { json: () => unknown; text: () => string },
): void {
  const text = asJson ? JSON.stringify(answer.json(), null, 2) : answer.text();
  process.stdout.write(`${text}\n`);
}

/** One line on standard error, cleaned for the terminal. */
export function complain(about: string): void {
  process.stderr.write(`pandafuzz: ${plain(about)}\n`);
}
