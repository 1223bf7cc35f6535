import type { Card } from '../card.js';

/** A mail, as text alone: no reader runs anything in it, or fetches anything for it. */
export function emailText({ title, facts, command, time }: Card): {
  subject: string;
  text: string;
} {
  const width = Math.max(0, ...facts.map(([label]) => label.length)) + 2;
  const lines = [
    title,
    '',
    ...facts.map(([label, value]) => `${`${label}:`.padEnd(width)}${value}`),
    ...(command === '' ? [] : ['', command]),
    '',
    '-- ',
    `PandaFuzz, ${time}`,
    '',
  ];
  // A card's title is one line without control characters: no header can begin in it.
  return { subject: `[PandaFuzz] ${title}`, text: lines.join('\n') };
}
