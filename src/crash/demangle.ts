/**
 * Reads the names out of a mangled symbol: "_ZN2ui10FlingCurveC2ERKN3gfx…" is
 * "ui::FlingCurve::FlingCurve". Arguments and template arguments are passed over,
 * which is all that frames need; a symbol in another scheme stays as it is.
 */
export function demangle(symbol: string): string {
  const start = /^_{1,3}Z(N?)[VKrRO]{0,3}(?:L(?=\d))?/.exec(symbol);
  if (!start) return symbol;
  const names = readNames(symbol, start[0].length, start[1] === 'N');
  const last = names.at(-1);
  // Rust's older scheme ends with a hash of its own.
  if (last && /^h[0-9a-f]{16}$/.test(last)) names.pop();
  return names.length > 0 ? names.map(readable).join('::') : symbol;
}

function readNames(symbol: string, from: number, isNested: boolean): string[] {
  const names: string[] = [];
  for (let at = from; at < symbol.length; ) {
    const rest = symbol.slice(at, at + 8);
    const length = /^L?(\d{1,4})/.exec(rest);
    if (length) {
      const begin = at + length[0].length;
      at = begin + Number(length[1]);
      names.push(symbol.slice(begin, at));
    } else if (rest.startsWith('St')) {
      names.push('std');
      at += 2;
    } else if (/^[CD][0-3]/.test(rest)) {
      const owner = names.at(-1);
      if (owner) names.push(rest.startsWith('D') ? `~${owner}` : owner);
      at += 2;
    } else if (rest.startsWith('I')) {
      at = templateEnd(symbol, at);
    } else if (/^B\d/.test(rest)) {
      at = afterTag(symbol, at);
    } else break;
    if (!isNested && !rest.startsWith('St')) break;
  }
  return names;
}

/** "B5cxx11", an ABI tag. */
function afterTag(symbol: string, at: number): number {
  const length = /^B(\d{1,3})/.exec(symbol.slice(at, at + 4));
  return length ? at + length[0].length + Number(length[1]) : symbol.length;
}

/** Place behind the template arguments that begin at `at`; names inside are skipped whole. */
function templateEnd(symbol: string, at: number): number {
  let depth = 0;
  for (let i = at; i < symbol.length; ) {
    const length = /^\d{1,4}/.exec(symbol.slice(i, i + 4));
    if (length) {
      i += length[0].length + Number(length[0]);
      continue;
    }
    if (/[INXJ]/.test(symbol[i] as string)) depth++;
    else if (/[LF]/.test(symbol[i] as string) && symbol[i - 1] !== 'S') {
      const literal = /^L[a-z]n?\d{0,20}E/.exec(symbol.slice(i, i + 24));
      if (literal) {
        i += literal[0].length;
        continue;
      }
      depth++;
    } else if (symbol[i] === 'E' && --depth === 0) return i + 1;
    i++;
  }
  return symbol.length;
}

/** Rust writes "{{closure}}" as "_$u7b$$u7b$closure$u7d$$u7d$". */
function readable(name: string): string {
  if (name.startsWith('_GLOBAL__N')) return '(anonymous namespace)';
  if (!name.includes('$')) return name;
  return name
    .replace(/^_(?=\$)/, '')
    .replace(/\$(LT|GT|RF|BP|C|LP|RP|u[0-9a-f]{2})\$/g, (_, code: string) =>
      code.startsWith('u')
        ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
        : (rustSigns[code] ?? ''),
    )
    .replaceAll('..', '::');
}

const rustSigns: Readonly<Record<string, string>> = {
  LT: '<',
  GT: '>',
  RF: '&',
  BP: '*',
  C: ',',
  LP: '(',
  RP: ')',
};
