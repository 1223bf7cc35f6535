/**
 * V8's flags, which the launcher sets: bin/pandafuzz, and the first line of main.ts for
 * npm's link. Programs that start a master by themselves set them too.
 *
 * Disables pretenuring. In a busy second V8 learns that objects of a call live long, makes
 * the next ones old from the start, and each of those retains all that it refers to until
 * the next full collection: a third of what was copied for nothing.
 *
 * Collects sooner: V8 lets a heap become several times what is in use before it looks through it
 * all, and young objects take 48 MiB in each of seven threads. Floods left 800 MiB behind, and
 * 450 MiB with these; what it costs is below this machine's noise (decision 0422).
 */
export const nodeFlags: readonly string[] = [
  '--no-allocation-site-pretenuring',
  '--max-semi-space-size=8',
  '--heap-growing-percent=30',
];
