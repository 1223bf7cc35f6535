import type { InnerCall } from './shapes.js';

/** What has been put in their place: a process may have several masters. */
const replaced = new WeakMap<object, Set<unknown>>();

type Shared = 'sendMessage' | 'decompressMessage' | 'maybePushNextMessage';

type Method<Name extends keyof InnerCall> = InnerCall[Name] extends (
  ...given: infer Given
) => infer Out
  ? (this: InnerCall, ...given: Given) => Out
  : never;

/** Makes another function of one that all calls share. */
export type Replace<Name extends Shared> = (original: Method<Name>) => Method<Name>;

/** Puts another function in the place of one that all calls share; each `replace` does so once. */
export function replaceShared<Name extends Shared>(
  inner: InnerCall,
  name: Name,
  replace: Replace<Name>,
): void {
  const shared: Partial<Record<Name, Method<Name>>> | null = Object.getPrototypeOf(inner);
  const original = shared?.[name];
  if (!shared || !original) return;
  const earlier = replaced.get(shared) ?? new Set();
  if (earlier.has(replace)) return;
  replaced.set(shared, earlier.add(replace));
  shared[name] = replace(original);
}
