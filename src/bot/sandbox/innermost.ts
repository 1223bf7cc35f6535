import type { Bounds } from './bounds.js';
import { outerName } from './secrets.js';
import type { SystemTools } from './tools.js';

/** What the engine is started as, within whatever it is shut into. */
export interface Innermost {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Variables whose values are in the environment of what stands before (secrets.ts). */
  readonly hidden: readonly string[];
  readonly bounds: Bounds;
  /** User and group of its own; undefined: the bot's. */
  readonly user: number | undefined;
  /** What stands before it has the rights of root, if only within its namespaces. */
  readonly isRootThere: boolean;
  /** Whether its processes can be counted apart from others of the same user. */
  readonly hasCount: boolean;
}

/**
 * The last part of a command line: the user, the limits and the environment of the engine,
 * each by a program that becomes the next. The environment comes last: a library that a job
 * preloads is loaded by the engine, and by nothing that has more rights than it.
 */
export function innermost(tools: SystemTools, what: Innermost): string[] {
  const { file, args, environment, hidden, bounds, hasCount } = what;
  return [
    ...(tools.setpriv ? [tools.setpriv, ...privileges(what), '--'] : []),
    ...(tools.prlimit
      ? [
          tools.prlimit,
          '--core=0',
          `--fsize=${bounds.fileBytes}`,
          ...(hasCount ? [`--nproc=${bounds.processes}`] : []),
          '--',
        ]
      : []),
    ...(hidden.length === 0 ? [tools.env, '-i'] : unveiled(tools, hidden)),
    ...Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    ),
    // env would take such a path for one more variable.
    ...(file.includes('=') ? [tools.sh, '-c', 'exec "$0" "$@"'] : []),
    file,
    ...args,
  ];
}

/**
 * A shell that gives hidden variables their names, and takes those of its own away: a value in a
 * command line could be read by every user of the machine.
 */
function unveiled({ sh, env }: SystemTools, hidden: readonly string[]): string[] {
  const named = hidden.map((name, index) => {
    const outer = outerName(index);
    return `${name}="$${outer}"; export ${name}; unset ${outer}; `;
  });
  const own = ['PATH', 'LANG', 'PWD', 'OLDPWD', 'SHLVL', '_'].filter(
    (one) => !hidden.includes(one),
  );
  const script = `${named.join('')}exec "$0" "$@"`;
  return [sh, '-c', script, env, ...own.flatMap((name) => ['-u', name])];
}

/** A change of user clears the signal that follows the parent's death, so it is set here again. */
function privileges({ user, isRootThere }: Innermost): string[] {
  const others = ['--no-new-privs', '--pdeathsig=KILL'];
  const none = ['--inh-caps=-all', '--bounding-set=-all'];
  if (user === undefined) return [...(isRootThere ? none : []), ...others];
  return [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', ...none, ...others];
}
