import { closing, spacesOutside, withoutGroups } from './brackets.js';
import { demangle } from './demangle.js';

/** Longest name kept, characters. */
const longestName = 256;

/** Words that tools print where they know no name. */
const placeholder =
  /^(?:<null>|<unknown(?: module)?>|\(null\)|\(unknown\)|<invalid>|<optimized out>|\?{2,3}|unknown|0x[0-9a-f]+|\(.{0,1024}\+0x[0-9a-f]{1,16}\))$/i;

/** What compilers add to the symbol of a function that they split, clone or rename. */
const compilerSuffix =
  /(?:\.(?:isra|part|constprop|cold|lto_priv|llvm|__uniq|localalias|clone|resolver|thunk|eh)(?:\.[0-9a-f]{1,32}){0,4})+$/i;
const rustHash = /::h[0-9a-f]{16}$/;
/** The disambiguator of Rust's newer scheme: "rs[8f3a1c2d]::width". */
const rustCrateId = /\[[0-9a-f]{6,16}\](?=::)/g;

/** What stands behind the arguments of a Swift function. */
const swiftResult = /\)(?: async)?(?: throws)? -> /;
/** Functions that Swift's compiler makes out of the programmer's. */
const swiftWrapper =
  /^(?:(?:static|merged|specialized|protocol witness for|partial apply(?: forwarder)? for|outlined \w{1,32} of|(?:implicit )?closure #\d{1,5}) )/;

/** "static A.f(x: Int) throws -> ()" and "closure #1 (Int) -> () in A.f(x:) -> ()" are "A.f". */
function swiftName(text: string): string {
  const outer = /^(?:implicit )?closure #/.test(text)
    ? text.slice(text.lastIndexOf(' in ') + 4)
    : text;
  let name = outer;
  // A wrapper may be wrapped again; each round takes a word away.
  for (let round = 0; round < 4; round++) name = name.replace(swiftWrapper, '');
  const end = name.search(swiftResult);
  return (end < 0 ? name : name.slice(0, end + 1)).replace(
    /\((\w{1,256}) in _[0-9A-F]{1,64}\)/,
    '$1',
  );
}

/**
 * What a function is called, for people and for comparing: namespaces and class
 * stay, "(int) const", "<std::string>", "void" before it and "[clone .1]" after
 * it go.
 *
 * @returns '' for a placeholder, a path or a module
 */
export function functionName(text: string): string {
  let cut = text.trim();
  if (cut === '' || placeholder.test(cut) || isPath(cut)) return '';
  if (/^_{1,3}Z/.test(cut)) cut = demangle(withoutSuffix(cut.split(/[\s(+]/, 1)[0] as string));
  // Rust and C++ have types of functions in their arguments, and other separators.
  if (!cut.includes('::') && (swiftResult.test(cut) || swiftWrapper.test(cut)))
    cut = swiftName(cut);
  cut = cut
    .replace(/ \[clone [^\]]{0,256}\]/g, '')
    .replace(/ ?\((?:\.[a-z_.0-9]{1,64}|inlined)\)$/i, '')
    .replace(/\[abi:\w{1,64}\]/g, '')
    .replace(rustCrateId, '')
    .replace(/`anonymous namespace'?/g, '(anonymous namespace)')
    .replace(/\+0x[0-9a-f]{1,16}(?:\/0x[0-9a-f]{1,16})?$/i, '')
    .replace(/\)(?: const| volatile| &{1,2}| noexcept| \[[^\]]{0,64}\])+$/, ')');
  cut = withoutSuffix(withoutSuffix(cut).replace(rustHash, ''));
  const leading = cut.startsWith('<') ? closing(cut) : -1;
  if (leading > 0) {
    // Rust: <alloc::vec::Vec<T> as core::ops::Index<I>>::index
    const named = `<${withoutGroups(cut.slice(1, leading))}>${withoutGroups(cut.slice(leading + 1))}`;
    return bounded(named);
  }
  const bare = withoutGroups(cut).replace(/ (?:const|volatile|noexcept)$/, '');
  const spaces = spacesOutside(bare);
  // "Content Shell Framework" is what a stripped bundle is called.
  if (spaces.length > 0 && !/[(:<]/.test(cut)) return '';
  const name = bare.slice((spaces.at(-1) ?? -1) + 1).replace(/^[*&]+(?=\w)/, '');
  return placeholder.test(name) ? '' : bounded(name);
}

/** Looks at the end alone: the pattern would try each dot of a long name. */
function withoutSuffix(name: string): string {
  const end = Math.max(0, name.length - 160);
  return name.slice(0, end) + name.slice(end).replace(compilerSuffix, '');
}

const bounded = (name: string) => name.slice(0, longestName).toWellFormed();

/** "linux-gate.so.1" and "fuzzer.exe" are modules. */
const module = /^[\w.+-]{1,256}\.(?:so|dll|dylib|exe|pkg|sys)(?:\.[\d.]{1,16})?$/;

function isPath(text: string): boolean {
  if (module.test(text)) return true;
  return /^(?:[/\\~]|\.{1,2}[/\\]|[A-Za-z]:[/\\])/.test(text) && !/^~\w+$/.test(text);
}

export const baseName = (path: string): string =>
  path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

/**
 * The name without namespaces and classes, as frames of inlined functions have
 * it under -gline-tables-only. A lambda counts as its enclosing function.
 */
export function shortName(name: string): string {
  const plain = name.replace(
    /(?:::(?:\{\{?closure.{0,64}|\$_\d{1,5}|\{lambda.{0,64}|'lambda.{0,64}|operator\(\)))+$/,
    '',
  );
  const from = plain === '' ? name : plain;
  return from.slice(from.lastIndexOf('::') + (from.includes('::') ? 2 : 1)) || from;
}
