import { styleText } from 'node:util';

/** Words of tables that are coloured, as they say that something is wrong. */
const tones = [
  // The brackets are those of words.ts.
  [/^(dead|failed|lost|reopened)\b|\(unwell\)$/, 'red'],
  [/^(offline|expired|\d+!)$|\((held back|late)\)$/, 'yellow'],
  // Of the column "security".
  [/^yes$/, 'red'],
] as const;

/** styleText itself looks at NO_COLOR and at whether standard output is a terminal. */
export function toned(cell: string): string {
  const tone = tones.find(([words]) => words.test(cell))?.[1];
  return tone ? styleText(tone, cell, { stream: process.stdout }) : cell;
}
