import type { FrameList } from '../description.js';

/** What the lists look at of a frame. */
export interface Listed {
  readonly function: string;
  readonly file: string;
  readonly module: string;
}

/** A frame list made ready for many look-ups. */
export class FrameMatcher {
  readonly #functions: RegExp | undefined;
  readonly #bareFunctions: RegExp | undefined;

  constructor(private readonly list: FrameList) {
    this.#functions = anyOf(list.functions ?? []);
    this.#bareFunctions = anyOf(list.bareFunctions ?? []);
  }

  matches(frame: Listed): boolean {
    const name = canonicalName(frame.function);
    if (name !== '' && this.#functions?.test(name)) return true;
    if (name !== '' && isWithoutSource(name, frame.file) && this.#bareFunctions?.test(name))
      return true;
    if (this.list.modules?.some((start) => start !== '' && frame.module.startsWith(start)))
      return true;
    return frame.file !== '' && this.#matchesFile(frame);
  }

  #matchesFile(frame: Listed): boolean {
    const { files = [], inlinedFiles = [], exceptFiles } = this.list;
    const slashed = `/${frame.file.replaceAll('\\', '/')}`;
    const has = (part: string) => part !== '' && slashed.includes(part);
    if (exceptFiles?.some(has)) return false;
    return files.some(has) || (!frame.function.includes('::') && inlinedFiles.some(has));
  }
}

/** Valgrind names the C library's sources without folders: write of write.c, puts of ioputs.c. */
const isWithoutSource = (name: string, file: string) =>
  file === '' || file === `${name}.c` || file === `io${name}.c`;

/** Names, of which a "*" at the end stands for any rest. */
function anyOf(names: readonly string[]): RegExp | undefined {
  const patterns = names
    .filter((name) => name !== '')
    .map((name) => (name.endsWith('*') ? escaped(name.slice(0, -1)) : `${escaped(name)}$`));
  return patterns.length > 0 ? new RegExp(`^(?:${patterns.join('|')})`) : undefined;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

const inlineNamespaces =
  /::(?:lts_\d{8}|debian\d{1,9}|__1|__2|__u|__n1|__Cr|__ndk1|__cxx11|__fs|_V2)(?=::)/g;

/** "absl::lts_20220623::log_internal::f" is "absl::log_internal::f"; "::f" is "f". */
function canonicalName(name: string): string {
  return name.replace(inlineNamespaces, '').replace(/^::/, '');
}
