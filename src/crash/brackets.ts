const kept = /^\((?:anonymous namespace|anonymous class|lambda at [^()]{1,512})\)/;
const operatorSymbol =
  /^operator(?: ?(?:\(\)|\[\]|->\*?|<=>|<<=?|>>=?|&&|\|\||\+\+|--|[-+*/%^&|!=]=|[-+*/%^&|~!=<>,])|"" \w{1,64}| \w{1,64}(?:\[\])?)/;
const closerOf: Readonly<Record<string, string>> = { ')': '(', '>': '<' };

/**
 * Visits `text` piece by piece: a character, or as one piece "(anonymous
 * namespace)" and an operator's name, whose brackets are none. `depth` counts
 * the brackets around the piece, and 1 for an outermost bracket itself.
 *
 * Each bracket is pushed and popped once, so the cost is linear in the text.
 */
export function walk(
  text: string,
  visit: (at: number, depth: number, length: number) => void,
): void {
  const open: string[] = [];
  const count: Record<string, number> = { '(': 0, '<': 0 };
  for (let at = 0; at < text.length; ) {
    const length = pieceLength(text, at);
    const piece = text[at] as string;
    if (length === 1 && (piece === '(' || piece === '<')) {
      open.push(piece);
      count[piece] = (count[piece] as number) + 1;
      visit(at, open.length, 1);
    } else {
      visit(at, open.length, length);
      if (length === 1 && piece in closerOf) close(open, count, text, at);
    }
    at += length;
  }
}

/** ")" closes what is unclosed inside of it as well; ">" may be an arrow or "greater than". */
function close(open: string[], count: Record<string, number>, text: string, at: number): void {
  const opener = closerOf[text[at] as string] as string;
  if (opener === '<' && (text[at - 1] === '-' || open.at(-1) !== '<')) return;
  if (count[opener] === 0) return;
  for (;;) {
    const popped = open.pop() as string;
    count[popped] = (count[popped] as number) - 1;
    if (popped === opener) return;
  }
}

function pieceLength(text: string, at: number): number {
  const first = text[at];
  if (first === '(') return kept.exec(text.slice(at, at + 600))?.[0].length ?? 1;
  if (first !== 'o' || !text.startsWith('operator', at)) return 1;
  if (/[\w$]/.test(text[at - 1] ?? ' ')) return 1;
  return operatorSymbol.exec(text.slice(at, at + 80))?.[0].length ?? 1;
}

/** Places of the spaces that stand in no brackets and in no operator's name. */
export function spacesOutside(text: string): number[] {
  const places: number[] = [];
  walk(text, (at, depth, length) => {
    if (depth === 0 && length === 1 && text[at] === ' ') places.push(at);
  });
  return places;
}

/** `text` without its bracketed parts. */
export function withoutGroups(text: string): string {
  let plain = '';
  walk(text, (at, depth, length) => {
    if (depth === 0) plain += text.slice(at, at + length);
  });
  return plain.trim();
}

/** Where the bracket that opens `text` closes; -1 if it does not. */
export function closing(text: string): number {
  let end = -1;
  walk(text, (at, depth, length) => {
    if (end < 0 && at > 0 && length === 1 && text[at] === '>' && depth === 1) end = at;
  });
  return end;
}
