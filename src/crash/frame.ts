/** One line of a sanitizer's stack, e.g. "#1 0x4f in read_tile /src/tile.c:14:25". */
export interface StackFrame {
  /** Function without arguments and template arguments, or "module+0xoffset". */
  readonly name: string;
  /** Belongs to the sanitizer, the C or C++ library or a language's panic machinery. */
  readonly isRuntime: boolean;
  /** Belongs to libFuzzer: nothing outside of it is the target's. */
  readonly isEngine: boolean;
}

/** Longest name kept, characters. */
const longestName = 256;

const header = /^\s{0,8}#\d{1,4} +(?:0x([0-9a-f]{1,16}) *)?(?:in )?/i;
const moduleAtEnd = /(?:^| )\(([^()]{1,1024})\+0x([0-9a-f]{1,16})\)$/i;
const buildIdAtEnd = / \(BuildId: [0-9a-f]{1,128}\)$/i;

/** @returns undefined when the line is no frame of a stack */
export function parseStackFrame(line: string): StackFrame | undefined {
  const start = header.exec(line);
  if (!start) return undefined;
  const text = line.slice(start[0].length).trimEnd().replace(buildIdAtEnd, '');
  const module = moduleAtEnd.exec(text);
  // ThreadSanitizer gives no address, but always a module.
  if (start[1] === undefined && !module) return undefined;
  const described = module ? text.slice(0, module.index).trim() : text;
  const moduleName = module ? baseName(module[1] as string) : '';
  const split = splitLocation(described);
  const name = functionName(split.function) || (module ? `${moduleName}+0x${module[2]}` : '');
  if (name === '') return undefined;
  return {
    name: name.slice(0, longestName).toWellFormed(),
    isRuntime:
      runtimeFunction.test(name) ||
      runtimeModule.test(moduleName) ||
      libcSource.test(split.location) ||
      name.startsWith('<unknown module>'),
    isEngine: name.startsWith('fuzzer::'),
  };
}

const runtimeFunction = new RegExp(
  `^(?:${[
    // Sanitizers: their entry points, interceptors and insides.
    '_{2,3}(?:asan|hwasan|ubsan|msan|tsan|lsan|sanitizer|interceptor|sanitizer_cov|dfsan)(?:_|::).*',
    // How a process begins and ends.
    '_start',
    '_dl_.*',
    '__libc_.*',
    '__run_exit_handlers',
    '_?_?exit',
    'abort|raise|gsignal|__pthread_kill.*|pthread_kill|__GI_.*|__restore_rt|start_thread|clone3?|__clone3?',
    '__assert(?:_fail|_fail_base|_perror_fail)?',
    '__fortify_fail|__chk_fail|__stack_chk_fail|__.*_chk',
    // Memory and strings: the caller is the one at fault.
    'malloc|calloc|realloc|reallocarray|free|cfree|memalign|posix_memalign|aligned_alloc|valloc',
    'operator (?:new|delete)(?:\\[\\])?',
    '_?_?_?(?:mem(?:cpy|move|set|cmp|chr|mem|rchr|ccpy)|mempcpy|bcmp|bcopy|bzero)',
    '_?_?_?(?:str|wcs)(?:n?len|n?cpy|n?cat|n?cmp|n?casecmp|r?chr|n?str|casestr|n?dup|spn|cspn|pbrk|tok|tok_r|to[a-z]{1,4}|coll)',
    '__(?:memcpy|memmove|memset|memcmp|memchr|str[a-z]+)_.*',
    // C++ and its standard library; thrown and not caught.
    'std::.*|__gnu_cxx::.*|__cxxabiv1::.*|__cxa_.*|_Unwind_.*',
    'rust_panic|rust_begin_unwind|__rust_.*|core::panicking::.*|core::option::(?:unwrap|expect)_failed|core::result::unwrap_failed|libfuzzer_sys::.*',
  ].join('|')})$`,
);

const runtimeModule =
  /^(?:libc|libm|libpthread|librt|libdl|libgcc_s|libstdc\+\+|libc\+\+|libc\+\+abi|libunwind|ld-linux[\w-]*|ld-musl[\w-]*|linux-vdso|lib(?:a|hwa|l|m|t|ub)san|libclang_rt[\w.-]*)(?:-[\d.]+)?\.so/;

/** glibc is built with paths such as "nptl/./nptl/x.c" and "csu/../sysdeps/x.h". */
const libcSource = /^(?:[\w-]{1,32}\/\.{1,2}\/|\.\.\/sysdeps\/)/;

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** "f(int) const /src/a b.cc:1:2" is a function and where it is. */
function splitLocation(text: string): { function: string; location: string } {
  for (const at of spacesOutside(text)) {
    const rest = text.slice(at + 1);
    const word = rest.split(' ', 1)[0] as string;
    const isPath =
      rest.startsWith('/') ||
      rest.startsWith('<null>') ||
      (/[/\\]|:\d{1,9}$/.test(word) && !/[(<]/.test(word));
    if (isPath) return { function: text.slice(0, at), location: rest };
  }
  return { function: text, location: '' };
}

/** Places of the spaces that stand in no brackets and after no "operator". */
function spacesOutside(text: string): number[] {
  const places: number[] = [];
  walk(text, (at, depth, length) => {
    if (depth === 0 && length === 1 && text[at] === ' ') places.push(at);
  });
  return places;
}

/**
 * What a function is called, for people and for comparing: namespaces and class
 * stay, "(int) const", "<std::string>", "void" before it and "[clone .1]" after
 * it go.
 */
export function functionName(text: string): string {
  let cut = text.trim();
  if (cut === '<null>') return '';
  cut = cut.replace(/ \[clone [^\]]{0,256}\]/g, '').replace(/\[abi:\w{1,64}\]/g, '');
  cut = cut.replace(/\)(?: const| volatile| &{1,2}| noexcept)+$/, ')');
  const leading = cut.startsWith('<') ? closing(cut) : -1;
  if (leading > 0) {
    // Rust: <alloc::vec::Vec<T> as core::ops::Index<I>>::index
    return `<${withoutGroups(cut.slice(1, leading))}>${withoutGroups(cut.slice(leading + 1))}`;
  }
  const bare = withoutGroups(cut);
  return bare.slice((spacesOutside(bare).at(-1) ?? -1) + 1);
}

function withoutGroups(text: string): string {
  let kept = '';
  walk(text, (at, depth, length) => {
    if (depth === 0) kept += text.slice(at, at + length);
  });
  return kept.trim();
}

/** Where the bracket that opens `text` closes; -1 if it does not. */
function closing(text: string): number {
  let end = -1;
  walk(text, (at, depth, length) => {
    if (end < 0 && at > 0 && length === 1 && text[at] === '>' && depth === 1) end = at;
  });
  return end;
}

const kept = '(anonymous namespace)';
const operatorSymbol =
  /^operator(?: ?(?:\(\)|\[\]|->\*?|<=>|<<=?|>>=?|[-+*/%^&|~!=<>,]{1,2})|"" \w+| \w+(?:\[\])?)/;

/**
 * Visits `text` piece by piece: a character, or as one piece "(anonymous
 * namespace)" and an operator's name, whose brackets are none. `depth` counts
 * the brackets around the piece, and 1 for an outermost bracket itself.
 */
function walk(text: string, visit: (at: number, depth: number, length: number) => void): void {
  const open: string[] = [];
  for (let at = 0; at < text.length; ) {
    const length = pieceLength(text, at);
    const piece = text[at] as string;
    if (length > 1) visit(at, open.length, length);
    else if (piece === '(' || piece === '<') {
      open.push(piece);
      visit(at, open.length, 1);
    } else if (piece === ')' || (piece === '>' && text[at - 1] !== '-')) {
      visit(at, open.length, 1);
      const opener = open.lastIndexOf(piece === ')' ? '(' : '<');
      if (opener >= 0) open.length = opener;
    } else visit(at, open.length, 1);
    at += length;
  }
}

function pieceLength(text: string, at: number): number {
  if (text.startsWith(kept, at)) return kept.length;
  if (!text.startsWith('operator', at) || /\w/.test(text[at - 1] ?? ' ')) return 1;
  return operatorSymbol.exec(text.slice(at, at + 80))?.[0].length ?? 1;
}
