/** What group and others need of files that they read and programs that they run. */
const reading = 0o055;

/**
 * Lets the users of runs read what the bot makes from now on: targets, libraries, inputs. With a
 * umask that keeps others out (077) no target could be executed. Folders that were made before,
 * as the work folder, keep the rights that its operator wanted.
 */
export function letRunsRead(): void {
  const umask = process.umask();
  if ((umask & reading) !== 0) process.umask(umask & ~reading);
}
