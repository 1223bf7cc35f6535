/** Longer lines are cut; no demangled name that people can read is as long. */
const longestLine = 4096;
/** Text kept before a headline that stands far inside a long line. */
const beforeMarker = 64;

const escapeSign = '\u001b';
const colour = new RegExp(`${escapeSign}\\[[0-9;:?]{0,16}[@-~]`, 'g');
/** Words that only the headline of a tool has. */
const marker = /Sanitizer: |libFuzzer: |panicked at |panic: |Check failed: |runtime error: /;

/** Lines of a report without colours and carriage returns, each of bounded length. */
export function readLines(report: string): string[] {
  const plain = report.includes(escapeSign) ? report.replace(colour, '') : report;
  const lines = plain.includes('\r') ? plain.split(/\r\n|\n|\r/) : plain.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line.length > longestLine) lines[i] = cut(line);
  }
  return lines;
}

/** A headline may stand behind any amount of output without a newline. */
function cut(line: string): string {
  const at = line.search(marker);
  const start = at < longestLine / 2 ? 0 : at - beforeMarker;
  return line.slice(start, start + longestLine);
}
