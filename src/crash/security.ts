import type { Access } from './access.js';
import type { Security } from './description.js';

/** Kinds by what they mean for security; the first that fits counts. */
const kinds: readonly [pattern: RegExp, matters: boolean, why: string][] = [
  [
    /use-after|double-free|bad-free|invalid-free|use-of-freed/,
    true,
    'memory is used or freed after its life',
  ],
  [/heap-corruption|invalid-chunk/, true, 'the heap is corrupted'],
  [
    /stack-smashing|stack-corruption|buffer-(?:overflow|underflow|underwrite)|out-of-bounds|container-overflow|param-overlap|negative-size|object-size|redzone/,
    true,
    'memory outside of its object is accessed',
  ],
  [
    /tag-mismatch|alloc-dealloc-mismatch|unknown-crash|invalid-write|wild/,
    true,
    'memory is accessed through a bad pointer',
  ],
  [/invalid-read/, true, 'memory outside of its object is read'],
  [/uninitialized|uninit-value/, true, 'uninitialised memory decides what happens'],
  [
    /cfi-|function-type-mismatch|dynamic-type-mismatch|invalid-jump|pure-virtual/,
    true,
    'control flow depends on a wrong type',
  ],
  [/security/, true, 'a check that guards security failed'],
  [
    /^(?:arbitrary-|command-injection|.*-traversal|.*-injection)/,
    true,
    'the input decides what the process does outside of itself',
  ],
  [/race/, true, 'threads access memory without order'],
  [
    /^(?:timeout|out-of-memory|rss-limit|allocation-size|stack-overflow|deadlock)/,
    false,
    'time or memory is used up',
  ],
  [/leak/, false, 'memory is leaked'],
  [
    /check-failure|assertion-failure|fatal-error|unreachable|unimplemented|test-failure/,
    false,
    'the program noticed the fault and ended itself',
  ],
  [/panic|exception|exit/, false, 'the language ended the program in order'],
  [
    /^(?:FPE|division-by-zero|ILL|TRAP|ABRT)$/,
    false,
    'the process ended by a signal without a bad access',
  ],
  [
    /overflow|shift|cast|conversion|null-pointer|unreachable|missing-return|undefined|misaligned/,
    false,
    'undefined behaviour without a bad access',
  ],
];

/** Whether somebody may attack through this, judged by kind, access and address alone. */
export function judgeSecurity(kind: string, access: Access): Security {
  if (/^(?:SEGV|BUS|access-violation|invalid-(?:read|write)|deadly-signal)$/.test(kind))
    return judgeFault(kind, access);
  const found = kinds.find(([pattern]) => pattern.test(kind));
  return found
    ? { matters: found[1], why: found[2] }
    : { matters: false, why: 'nothing is known of it' };
}

function judgeFault(kind: string, access: Access): Security {
  if (access.address === 'near-null')
    return { matters: false, why: 'a pointer near null is followed' };
  if (access.access === 'write') return { matters: true, why: 'a bad address is written to' };
  if (access.address === 'wild' || access.access === 'read')
    return { matters: true, why: 'a bad address is read' };
  return kind === 'deadly-signal'
    ? { matters: false, why: 'the signal is not known' }
    : { matters: true, why: 'a bad address is accessed' };
}
