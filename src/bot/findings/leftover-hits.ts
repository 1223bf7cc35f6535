import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { untilAnswered } from '../../client/until-answered.js';
import { systemClock } from '../../core/clock.js';
import { messageOf } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import type { Logger } from '../../core/log.js';
import { ReportCrashHitsRequest } from '../../gen/pandafuzz/v1/crash_service.js';

/** Runs of earlier processes whose figures wait for the master; older ones are dropped. */
const mostFiles = 1000;
/** Crashes whose hits one call carries: the contract's bound. */
const mostInCall = 1000;
const timeoutMs = 30_000;

/** Hits of runs of earlier processes, on disk until the master has them. */
export class LeftoverHits {
  private constructor(private readonly folder: string) {}

  static async open(folder: string): Promise<LeftoverHits> {
    await makeFolder(folder);
    return new LeftoverHits(folder);
  }

  /** @param name of the run; the same again replaces what was there */
  async save(name: string, { lease, hits }: ReportCrashHitsRequest): Promise<void> {
    for (let at = 0; at < hits.length; at += mostInCall) {
      const request = { lease, hits: hits.slice(at, at + mostInCall) };
      const path = join(this.folder, `${name}_${at}`);
      await writeFile(`${path}.part`, ReportCrashHitsRequest.encode(request).finish());
      await rename(`${path}.part`, path);
    }
    const names = (await readdir(this.folder)).sort();
    for (const oldest of names.slice(0, Math.max(names.length - mostFiles, 0))) {
      await rm(join(this.folder, oldest), { force: true });
    }
  }

  /** Sends everything, for as long as the master is away. */
  async send(connection: Connection, log: Logger, signal: AbortSignal): Promise<void> {
    for (const name of await readdir(this.folder)) {
      if (signal.aborted) return;
      const path = join(this.folder, name);
      try {
        const request = ReportCrashHitsRequest.decode(await readFile(path));
        const { crashes } = connection;
        const call = () => unary(crashes, crashes.reportCrashHits, request, { signal, timeoutMs });
        await untilAnswered(signal, call, { operation: 'report_crash_hits', clock: systemClock });
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ why: messageOf(error) }, 'crash hits not reported');
      }
      await rm(path, { force: true });
    }
  }
}
