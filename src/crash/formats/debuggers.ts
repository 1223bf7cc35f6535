import { signalHeadline } from './engines.js';
import type { Format, Headline } from './format.js';

const received =
  /(?:(?:received|terminated with) signal (SIG[A-Z]{2,8})|\*{3} (SIG[A-Z]{2,8}) (?:\(@0x[0-9a-f]{1,16}\) )?received (?:by PID|at time))/;

/** gdb's "Program received signal SIGSEGV"; the handlers of glog and Abseil print much the same. */
export const gdb: Format = {
  name: 'gdb',
  hint: /signal SIG|\*{3} SIG/,
  headline(lines, at): Headline | undefined {
    const found = received.exec(lines[at] as string);
    const signal = found?.[1] ?? found?.[2];
    return signal ? signalHeadline(signal, at) : undefined;
  },
};

const errors: readonly [pattern: RegExp, kind: string][] = [
  [/^Invalid read of size /, 'invalid-read'],
  [/^Invalid write of size /, 'invalid-write'],
  [/^Invalid free\(\)/, 'bad-free'],
  [/^Mismatched (?:free\(\)|new|delete)/, 'alloc-dealloc-mismatch'],
  [/^Conditional jump or move depends on uninitialised/, 'use-of-uninitialized-value'],
  [/^Use of uninitialised value/, 'use-of-uninitialized-value'],
  [/^Syscall param .{1,128} uninitialised/, 'use-of-uninitialized-value'],
  [/^Source and destination overlap in /, 'memcpy-param-overlap'],
  [/^Jump to the invalid address/, 'invalid-jump'],
  [/^Argument '.{1,64}' of function .{1,64} has a fishy/, 'negative-size-param'],
  [/^Possible data race during/, 'data-race'],
  [/^Stack overflow in thread/, 'stack-overflow'],
];
const line = /^==\d{1,10}== {1,2}(\S.*)$/;
const leak =
  /^[\d,]{1,16} (?:\([\d,]{1,16} direct, [\d,]{1,16} indirect\) )?bytes in [\d,]{1,16} blocks are (?:definitely|possibly|indirectly) lost/;
const terminating = /^Process terminating with default action of signal (\d{1,3})/;

/** Valgrind's Memcheck and Helgrind. */
export const valgrind: Format = {
  name: 'valgrind',
  hint: /^==\d{1,10}== {1,2}\S/,
  headline(lines, at): Headline | undefined {
    const text = line.exec(lines[at] as string)?.[1];
    if (text === undefined) return undefined;
    const kind = errors.find(([pattern]) => pattern.test(text))?.[1];
    if (kind) return { kind, rank: 'error', at };
    if (leak.test(text)) return { kind: 'memory-leak', rank: 'leftover', at };
    const signal = terminating.exec(text)?.[1];
    return signal ? signalHeadline(signal, at) : undefined;
  },
};

const kasan = /BUG: (?:KASAN|KMSAN|KCSAN): ([\w-]{1,64}(?: [\w-]{1,64})?)(?= in | at |$)/;
const kernelBug =
  /(?:kernel BUG at ([^\s!:]{1,512}):(\d{1,9})|general protection fault|BUG: unable to handle (?:kernel )?(?:NULL pointer dereference|paging request)|Unable to handle kernel (?:NULL pointer dereference|paging request)|Kernel panic - not syncing: (.{1,256}))/;

/** The Linux kernel and its sanitizers. */
export const kernel: Format = {
  name: 'kernel',
  hint: /BUG: |kernel BUG|general protection|Unable to handle kernel|Kernel panic/,
  headline(lines, at): Headline | undefined {
    const text = lines[at] as string;
    const bySanitizer = kasan.exec(text)?.[1];
    if (bySanitizer) return { kind: bySanitizer.trim().replace(/\s+/g, '-'), rank: 'error', at };
    const found = kernelBug.exec(text);
    if (!found) return undefined;
    if (found[1])
      return { kind: 'kernel-bug', rank: 'error', at, file: found[1], line: Number(found[2]) };
    const kind = found[3] === undefined ? 'SEGV' : 'kernel-panic';
    if (found[3] === undefined) return { kind, rank: 'error', at };
    return { kind, rank: 'signal', at, message: found[3], isDeliberate: true };
  },
};

/** Android's tombstones and logs: "Fatal signal 11 (SIGSEGV), code 1, fault addr 0x0". */
export const android: Format = {
  name: 'android',
  hint: /signal \d{1,2} \(SIG/,
  headline(lines, at): Headline | undefined {
    const signal = /signal \d{1,2} \((SIG[A-Z]{2,8})\)/.exec(lines[at] as string)?.[1];
    return signal ? signalHeadline(signal, at) : undefined;
  },
};
