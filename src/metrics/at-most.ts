/** Time that a scrape waits for a blocked database, milliseconds. */
const longestScrapeReadMs = 250;

/** What a scrape reads; undefined before the first answer. */
export type ScrapeRead<Value> = () => Promise<Value | undefined>;

/**
 * Shares one read among all that ask while it lasts. Each waits for 250 ms at most and gets
 * the last value that was read.
 */
export function atMost<Value>(read: () => Promise<Value>): ScrapeRead<Value> {
  let last: Value | undefined;
  let reading: Promise<void> | undefined;
  return async () => {
    reading ??= read()
      .then((value) => {
        last = value;
      })
      .catch(() => {})
      .finally(() => {
        reading = undefined;
      });
    const { promise: waited, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, longestScrapeReadMs);
    await Promise.race([reading, waited]);
    clearTimeout(timer);
    return last;
  };
}
