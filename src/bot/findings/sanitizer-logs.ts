import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openPlainFile, plainFile } from '../sandbox/plain-file.js';
import { noSecrets, type RunSecrets } from '../sandbox/secrets.js';

/** Read of one file, bytes: a report begins at its head and ends with a summary. */
const headBytes = 56 * 1024;
const tailBytes = 16 * 1024;
/** Of one file with all leaks of a corpus, bytes. */
const longReportBytes = 2 ** 20;
/** Two files written within this time of each other could belong to the same artifact, milliseconds. */
const ambiguousMs = 20;
/** More files than this are not kept: a target that forks may leave one for each child. */
const mostFiles = 1000;

interface LogFile {
  readonly name: string;
  readonly pid: number;
  readonly modifiedAtMs: number;
  /** 0 where the file system does not know it. */
  readonly beganAtMs: number;
}

/**
 * The files that sanitizers write by their option `log_path`, one a process. They
 * hold the report even where the target has closed or redirected its standard error.
 */
export class SanitizerLogs {
  #lastArtifactAtMs = 0;
  #isOnStandardError = false;
  #lastBeganAtMs = 0;

  constructor(
    private readonly folder: string,
    private readonly secrets: RunSecrets = noSecrets,
  ) {}

  /** Value of `log_path`; the sanitizer appends "." and the process id. */
  get prefix(): string {
    return this.#isOnStandardError ? 'stderr' : join(this.folder, 'report');
  }

  /** From now on reports are printed: the disk has no room for files. */
  moveToStandardError(): void {
    this.#isOnStandardError = true;
  }

  get isOnStandardError(): boolean {
    return this.#isOnStandardError;
  }

  /** When the report that was taken last was begun, ms since 1970; 0: none was, or it is not known. */
  get lastBeganAtMs(): number {
    return this.#lastBeganAtMs;
  }

  /**
   * Removes and returns the report that belongs to an artifact.
   *
   * @param pids processes named in what was printed before the artifact
   * @param writtenAtMs time of the artifact: its report was complete before, and begun after
   *   the artifact before
   * @returns '' when there is none, or when two could be it
   */
  async take(pids: readonly number[], writtenAtMs = Number.POSITIVE_INFINITY): Promise<string> {
    const files = await this.#files();
    const file = choose(files, pids, { afterMs: this.#lastArtifactAtMs, beforeMs: writtenAtMs });
    if (Number.isFinite(writtenAtMs)) this.#lastArtifactAtMs = writtenAtMs;
    this.#lastBeganAtMs = file?.beganAtMs ?? 0;
    if (!file) return '';
    const path = join(this.folder, file.name);
    const text = await this.#read(path);
    await rm(path, { force: true });
    return text;
  }

  /** Removes the reports that no artifact has taken, and returns the newest. */
  async takeRest(): Promise<string> {
    const files = await this.#files();
    const newest = files.at(-1);
    const text = newest ? await this.#read(join(this.folder, newest.name)) : '';
    for (const { name } of files) await rm(join(this.folder, name), { force: true });
    return text;
  }

  /** The newest report, up to a bound of its own: that of a process with many leaks is long. */
  async newest(): Promise<string> {
    const file = (await this.#files()).at(-1);
    return file ? this.#read(join(this.folder, file.name), longReportBytes) : '';
  }

  /** Removes the oldest files where there are too many. */
  async prune(): Promise<void> {
    const files = await this.#files();
    for (const { name } of files.slice(0, Math.max(files.length - mostFiles, 0))) {
      await rm(join(this.folder, name), { force: true });
    }
  }

  /** Without the values of secrets. */
  async #read(path: string, mostBytes?: number): Promise<string> {
    return this.secrets.cut(await readBounded(path, mostBytes));
  }

  /** Oldest first. */
  async #files(): Promise<LogFile[]> {
    const files: LogFile[] = [];
    for (const name of await readdir(this.folder).catch(() => [])) {
      const pid = Number(/^report\.(\d{1,10})$/.exec(name)?.[1] ?? Number.NaN);
      const found = await plainFile(join(this.folder, name));
      if (!found || Number.isNaN(pid)) continue;
      const { mtimeMs: modifiedAtMs, birthtimeMs: beganAtMs } = found;
      files.push({ name, pid, modifiedAtMs, beganAtMs });
    }
    return files.sort((a, b) => a.modifiedAtMs - b.modifiedAtMs);
  }
}

function choose(
  files: readonly LogFile[],
  pids: readonly number[],
  between: { afterMs: number; beforeMs: number },
): LogFile | undefined {
  const named = files.findLast(({ pid }) => pids.includes(pid));
  if (named) return named;
  const fitting = files.filter(
    ({ modifiedAtMs: atMs }) =>
      atMs >= between.afterMs - ambiguousMs && atMs <= between.beforeMs + ambiguousMs,
  );
  const [second, last] = [fitting.at(-2), fitting.at(-1)];
  const isAmbiguous = second && last && last.modifiedAtMs - second.modifiedAtMs < ambiguousMs;
  return isAmbiguous ? undefined : last;
}

async function readBounded(path: string, mostBytes = headBytes + tailBytes): Promise<string> {
  const file = await openPlainFile(path);
  try {
    const { size } = await file.stat();
    const read = async (position: number, length: number) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.toString('utf8', 0, bytesRead);
    };
    if (size <= mostBytes) return await read(0, size);
    const omitted = `\n[... ${size - headBytes - tailBytes} bytes left out ...]\n`;
    return (await read(0, headBytes)) + omitted + (await read(size - tailBytes, tailBytes));
  } finally {
    await file.close();
  }
}
