import { chmod, chown, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../core/errors.js';

/** Folders of a run that its programs only read. */
const readOnlyFolders = new Set(['bin', 'seeds']);
/** Owner and group write; new files get the group, so that both sides can read them. */
const sharedMode = 0o2770;

/**
 * Folders directly in a run's folder that its programs write to. The run's folder itself stays
 * the bot's, so that none of them can be replaced by a link that leads the bot elsewhere.
 */
export async function writableFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !readOnlyFolders.has(entry.name))
    .map(({ name }) => join(folder, name));
}

/**
 * Lets a user of the run's own write to these folders, and to those in them that the bot has
 * made since. They stay the bot's: only the group changes.
 */
export async function handOver(
  folder: string,
  writable: readonly string[],
  user: number,
): Promise<void> {
  const bot = process.getuid?.() ?? 0;
  await chown(folder, bot, user);
  await chmod(folder, 0o750);
  for (const path of writable) await handOverTree(path, bot, user).catch(passOverGone);
}

/**
 * What a run has made itself is its own already, with all that is in it. Other programs of the
 * run work meanwhile, and what they remove needs no rights.
 */
async function handOverTree(path: string, bot: number, user: number): Promise<void> {
  const found = await lstat(path);
  if (!found.isDirectory() || (found.uid === user && user !== bot)) return;
  // A folder that the bot has made in one that is handed over has the group, but not the mode.
  if (found.gid !== user || (found.mode & sharedMode) !== sharedMode) {
    await chown(path, bot, user);
    await chmod(path, sharedMode);
  }
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    await handOverTree(join(path, entry.name), bot, user).catch(passOverGone);
  }
}

function passOverGone(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}

/** Folders of a run, as they were when it was started. */
export type Seen = ReadonlyMap<string, { readonly dev: number; readonly ino: number }>;

export async function see(folders: readonly string[]): Promise<Seen> {
  const seen = new Map<string, { dev: number; ino: number }>();
  for (const folder of folders) {
    const { dev, ino } = await lstat(folder);
    seen.set(folder, { dev, ino });
  }
  return seen;
}

/**
 * Makes folders anew that are no longer the ones seen before: a program with the bot's rights
 * may have put a link there, which would lead the bot to other files.
 *
 * @returns those that were replaced
 */
export async function mendFolders(seen: Seen): Promise<string[]> {
  const replaced: string[] = [];
  for (const [folder, before] of seen) {
    const now = await lstat(folder).catch(() => undefined);
    if (now?.isDirectory() && now.ino === before.ino && now.dev === before.dev) continue;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: false });
    replaced.push(folder);
  }
  return replaced;
}
