import { open } from 'node:fs/promises';

interface Folder {
  /** Changes made in it, by this process. */
  changes: number;
  /** How many of these are on disk; -1: this process has not synced it yet. */
  synced: number;
  syncing: Promise<void> | undefined;
}

/**
 * Which folders have entries that may not survive a power cut. A change counts as on disk
 * after a sync that began later and succeeded; one that failed is repeated before anything
 * in the folder is acknowledged. What an earlier process left is synced once.
 */
export class FolderSyncs {
  readonly #folders = new Map<string, Folder>();

  /** Notes that an entry of the folder was made or replaced. */
  changed(path: string): void {
    this.#of(path).changes++;
  }

  /**
   * Resolves when every change so far is on disk. Callers at the same time share a sync.
   *
   * @throws the system's error
   */
  async settle(path: string): Promise<void> {
    const folder = this.#of(path);
    const wanted = folder.changes;
    while (folder.synced < wanted) {
      folder.syncing ??= this.#sync(path, folder);
      await folder.syncing;
    }
  }

  async #sync(path: string, folder: Folder): Promise<void> {
    const upTo = folder.changes;
    try {
      await syncFolder(path);
      folder.synced = upTo;
    } finally {
      folder.syncing = undefined;
    }
  }

  #of(path: string): Folder {
    let folder = this.#folders.get(path);
    if (!folder) {
      folder = { changes: 0, synced: -1, syncing: undefined };
      this.#folders.set(path, folder);
    }
    return folder;
  }
}

/** Makes changes of the folder's entries survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
