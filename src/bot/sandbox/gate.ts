import type { SystemTools } from './tools.js';

/** The gate's exit code when it lets nothing through. */
export const gateShut = 125;

/**
 * Starts nothing when the bot has died already: then the parent is another. Joins the run's
 * cgroups, goes first when memory runs out, and brings both outputs into one stream, which
 * alone keeps their order.
 */
const script = [
  `[ "$PPID" = "$1" ] || exit ${gateShut}`,
  'shift',
  '{ echo 500 >/proc/self/oom_score_adj; } 2>/dev/null',
  `while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs" || exit ${gateShut}; shift; done`,
  'shift',
  'exec "$@" >&2',
].join('; ');

/** The first part of a command line. */
export const gate = (tools: SystemTools, cgroups: readonly string[]): string[] => [
  tools.sh,
  '-c',
  script,
  'sh',
  String(process.pid),
  ...cgroups,
  '--',
];
