import { findProgram, systemPath } from './programs.js';

/** Programs that runs are started with; Debian's coreutils, util-linux, bubblewrap, perl-base. */
export interface SystemTools {
  readonly sh: string;
  readonly env: string;
  readonly setpriv: string | undefined;
  readonly prlimit: string | undefined;
  readonly unshare: string | undefined;
  readonly mount: string | undefined;
  readonly bubblewrap: string | undefined;
  readonly perl: string | undefined;
}

/** @param path where they are looked for: programs of the system only, as some run as root */
export function findSystemTools(path: string = systemPath): SystemTools {
  const find = (name: string) => findProgram([name], path);
  return {
    sh: find('sh') ?? '/bin/sh',
    env: find('env') ?? '/usr/bin/env',
    setpriv: find('setpriv'),
    prlimit: find('prlimit'),
    unshare: find('unshare'),
    mount: find('mount'),
    bubblewrap: find('bwrap'),
    perl: find('perl'),
  };
}
