import { once } from 'node:events';
import { createRequire } from 'node:module';
import { plain, plainJson } from '../core/unseen.js';

/** The forms in which lists are printed: for people, for people with wide screens, for scripts. */
export const listFormats = ['table', 'wide', 'json', 'jsonl', 'yaml'] as const;
/** The same for one thing. */
export const formats = ['json', 'yaml'] as const;
export type ListFormat = (typeof listFormats)[number];

export interface OutputFlags {
  readonly json?: boolean;
  readonly output?: ListFormat;
}

/** Of a command whose `--output` is a file. */
export const asJson = ({ json = false }: { readonly json?: boolean }): OutputFlags => ({ json });

/** `--json` is `-o json`; the default is for people. */
export const formatOf = ({ json, output }: OutputFlags): ListFormat =>
  json ? 'json' : (output ?? 'table');

/**
 * An answer on standard output: one JSON or YAML document for scripts, text for people.
 * `json` is in protobuf's own JSON form, with what a terminal would obey as escapes.
 */
export function print(
  flags: OutputFlags,
  answer: { json: () => unknown; text: () => string },
): void {
  const format = formatOf(flags);
  if (format === 'yaml') process.stdout.write(yamlText(answer.json()));
  else if (format === 'json') process.stdout.write(`${jsonText(answer.json())}\n`);
  else process.stdout.write(`${answer.text()}\n`);
}

const jsonText = (value: unknown) => plainJson(JSON.stringify(value, null, 2));

/** One line of JSON. */
export const jsonLine = (value: unknown): string => `${plainJson(JSON.stringify(value))}\n`;

/** Texts with what a terminal would obey are quoted, with that as escapes. */
export function yamlText(value: unknown): string {
  // Loaded when it is asked for: it is a tenth of the start of every other command.
  const { Document, visit } = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  const document = new Document(JSON.parse(JSON.stringify(value)));
  visit(document, {
    Scalar(_, scalar) {
      const isHostile = typeof scalar.value === 'string' && plain(scalar.value) !== scalar.value;
      if (isHostile) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return plainJson(document.toString({ lineWidth: 0 }));
}

/** Waits for a reader of standard output that is slow: lines would pile up in memory. */
export async function taken(signal: AbortSignal): Promise<void> {
  if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain', { signal });
}

/** Lines on standard error, cleaned for the terminal; those after the first are indented. */
export function complain(about: string): void {
  const lines = about.split('\n').map(plain);
  process.stderr.write(`pandafuzz: ${lines.join('\n  ')}\n`);
}
