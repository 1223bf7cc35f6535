import { archiveHeadBytes, archiveKind } from './archive/kind.js';
import { isElf } from './elf.js';
import { foreignProgram } from './program.js';

/** The first bytes that `artifactProblem` looks at. */
export const artifactHeadBytes = archiveHeadBytes;

/**
 * Why a file that begins with these bytes can be no artifact of its kind; undefined when it
 * can, as far as they show. What only a whole file shows is for its sender and for bots.
 */
export function artifactProblem(
  kind: 'target' | 'bundle' | 'seeds' | 'dictionary',
  head: Uint8Array,
): string | undefined {
  const archive = archiveKind(head);
  if (kind === 'target') {
    return archive ? `it is a .${archive}: send it as a bundle` : foreignProgram(head);
  }
  if (kind === 'bundle' && !archive)
    return 'it is no .tar, .tar.gz or .zip: send a program as a target';
  if (kind === 'dictionary' && (archive || isElf(head)))
    return 'it is no dictionary but a program or an archive';
  return undefined;
}
