/**
 * How late a timer of this process fires, milliseconds: what the machine does to
 * everybody, to be taken off before somebody is blamed for being late.
 */
export async function latenessAfter(ms: number): Promise<number> {
  const dueAt = performance.now() + ms;
  await new Promise((resolve) => setTimeout(resolve, ms));
  return Math.max(performance.now() - dueAt, 0);
}
