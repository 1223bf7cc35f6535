import type { InnerCall } from './shapes.js';

/** Functions that stand in the place of grpc-js's: a process may have several masters. */
const replaced = new WeakSet<object>();

type Method<Name extends keyof InnerCall> = InnerCall[Name] extends (
  ...given: infer Given
) => infer Out
  ? (this: InnerCall, ...given: Given) => Out
  : never;

/** Puts another function in the place of one that all calls share, once. */
export function replaceShared<Name extends 'sendMessage' | 'decompressMessage'>(
  inner: InnerCall,
  name: Name,
  replace: (original: Method<Name>) => Method<Name>,
): void {
  const shared: Partial<Record<Name, Method<Name>>> | null = Object.getPrototypeOf(inner);
  const original = shared?.[name];
  if (!shared || !original || replaced.has(original)) return;
  const replacement = replace(original);
  replaced.add(replacement);
  shared[name] = replacement;
}
