const longestMessage = 256;
/** Longer texts are cut before they are normalised, so that the work is bounded. */
const longestText = 2048;

/** Replacements in this order; each pattern is linear in the length of the text. */
const replacements: readonly [pattern: RegExp, by: string][] = [
  [/\s+/g, ' '],
  // Folders before a file's name differ between build machines.
  [/(?:[A-Za-z]:)?(?:[/\\][\w.+@-]{1,128}){1,32}[/\\](?=[\w.+@-])/g, ''],
  [
    /(?<![\w.])(?:\.{1,2}|[\w+@-]{1,64})\/(?=(?:[\w+@.-]{1,64}\/){0,16}[\w+@-]{1,64}\.(?:cc?|cpp|cxx|hh?|hpp|rs|go|py|js|ts|java)\b)/g,
    '',
  ],
  [/\b0x[0-9a-f]{1,32}\b/gi, '0xN'],
  [/\b(?=[a-f]{0,32}\d)[0-9a-f]{8,64}\b/gi, 'N'],
  [/(?<!\w)[-+]?\d[\d_]{0,64}(?:\.\d{1,32})?(?![A-Za-z_])/g, 'N'],
  // "('(' vs. 8)", "(unsigned char value 2 vs. 8)": the values of a check's comparison.
  [/ \((?:'.{1,4}?'|[^()']){1,200} vs\.? (?:'.{1,4}?'|[^()']){1,200}\)/g, ' (N vs. N)'],
];

/** One line of text without numbers, addresses, folders and line breaks. */
export function normalizeMessage(text: string): string {
  let message = text.slice(0, longestText);
  for (const [pattern, by] of replacements) message = message.replace(pattern, by);
  return message.trim().slice(0, longestMessage).toWellFormed();
}

const quoted = /"[^"]{0,256}"|'[^']{0,256}'|`[^`]{0,256}`/g;

/** A normalised message without quoted values, which come from the input. */
export function withoutValues(message: string): string {
  return message.replace(quoted, '""');
}
