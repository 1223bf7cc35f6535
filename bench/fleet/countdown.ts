/** Resolves once `one` was called `count` times. */
export function countdown(count: number): { one(): void; readonly over: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  return {
    one() {
      if (--left <= 0) resolve();
    },
    over: promise,
  };
}
