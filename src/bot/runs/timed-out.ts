/**
 * The report of an input that the bot ended for taking too long. Its headline is that of
 * AFL++'s own tools, which `src/crash` reads; a sanitizer's stack after it shows where the
 * input was just then.
 */
export const timedOut = (report: string, limitSeconds: number): string =>
  `The input ran for longer than ${limitSeconds} s.\n+++ Program timed off +++\n${report}`;
