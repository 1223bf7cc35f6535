/**
 * V8's flags, which the launcher sets: bin/pandafuzz, and the first line of main.ts for
 * npm's link. Programs that start a master by themselves set them too.
 *
 * Disables pretenuring. In a busy second V8 learns that objects of a call live long, makes
 * the next ones old from the start, and each of those retains all that it refers to until
 * the next full collection: a third of what was copied for nothing.
 */
export const nodeFlags: readonly string[] = ['--no-allocation-site-pretenuring'];
