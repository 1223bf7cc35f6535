import { helper } from './helper.js';
import type { SystemTools } from './tools.js';
import type { Surroundings } from './ways.js';

/**
 * Makes every file system read-only but the folders it is given, before "--". They become
 * mounts of their own, which keep what they were. What belongs to the kernel stays as it is.
 */
const script = [
  'set -e',
  'cwd=$1',
  'shift',
  'keep=" "',
  'while [ "$1" != -- ]; do mount --bind "$1" "$1"; keep="$keep$1 "; shift; done',
  'shift',
  'while read -r _ where kind _; do case "$kind" in proc|sysfs|devpts|devtmpfs|mqueue|cgroup*) continue;; esac; ' +
    'case "$keep" in *" $where "*) continue;; esac; ' +
    'case "$where" in /dev|/dev/*|/proc/*|/sys/*) continue;; esac; ' +
    'mount -o remount,bind,ro "$where" 2>/dev/null || { [ "$where" != / ]; }; done < /proc/self/mounts',
  // It would hide a bot that works there.
  'case "$cwd" in /dev/shm/*) ;; *) mount -t tmpfs -o size=256m,mode=1777 tmpfs /dev/shm 2>/dev/null || :;; esac',
  'cd "$cwd"',
  'exec "$@"',
].join('\n');

/**
 * The same namespaces without bubblewrap. The machine's files stay visible, as far as their
 * modes allow, and are read-only.
 *
 * unshare itself must get no signal: it would end, or pass over it. The helper gets it.
 */
export function unshared(tools: SystemTools, around: Surroundings): string[] | undefined {
  const init = helper(tools, 'init');
  if (!tools.unshare || !tools.setpriv || !tools.mount || !init) return undefined;
  const { cwd, writable, network, hasUser } = around;
  return [
    tools.unshare,
    ...['--pid', '--ipc', '--uts', '--mount', '--fork', '--kill-child', '--mount-proc'],
    ...(network ? [] : ['--net']),
    ...(hasUser || process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
    ...['--', tools.sh, '-c', script, 'sh', cwd, ...writable, '--'],
    ...init,
  ];
}
