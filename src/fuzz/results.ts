import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../client/connect.js';
import { downloadCrashInput } from '../client/transfer.js';
import { makeFolder } from '../core/folders.js';
import type { CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { groupDossier } from '../operator/crashes/dossier.js';
import { groupSection } from '../operator/crashes/markdown.js';
import type { CallOptions } from '../operator/submit.js';

/** Letters of a kind or a function in the name of a folder. */
const longestPart = 40;

/**
 * The bugs of a session as files: for each a folder with the input to begin with (`input`)
 * and all that is known of it (`report.md`). Written anew when a better input is known.
 */
export class Results {
  /** By group: what was written. */
  readonly #written = new Map<string, string>();

  constructor(private readonly folder: string) {}

  folderOf({ id, kind, topFrame }: CrashGroup): string {
    const words = [kind, ...(topFrame ? ['in', topFrame] : [])].map((part) =>
      part.slice(0, longestPart),
    );
    const name = `${words.join('-')}-${id.slice(-6)}`.replace(/[^A-Za-z0-9._-]+/g, '_');
    return join(this.folder, name);
  }

  /** @returns the groups that were not there before */
  async keep(
    connection: Connection,
    groups: readonly CrashGroup[],
    options: CallOptions,
  ): Promise<CrashGroup[]> {
    const added: CrashGroup[] = [];
    for (const group of groups) {
      const isNew = !this.#written.has(group.id);
      const state = [group.reproducerCrashId, group.status, group.crashInputsKept].join(' ');
      if (this.#written.get(group.id) === state) continue;
      await this.#write(connection, group, options);
      this.#written.set(group.id, state);
      if (isNew) added.push(group);
    }
    return added;
  }

  async #write(connection: Connection, group: CrashGroup, options: CallOptions): Promise<void> {
    const folder = this.folderOf(group);
    await makeFolder(folder);
    const dossier = await groupDossier(connection, group.id, options);
    await downloadCrashInput(connection, dossier.crash.id, join(folder, 'input'), {
      ...(options.signal && { signal: options.signal }),
    });
    const report = join(folder, 'report.md');
    await writeFile(`${report}.part`, `${groupSection(dossier, Date.now())}\n`);
    await rename(`${report}.part`, report);
  }
}
