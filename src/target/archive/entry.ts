/** What an entry of an archive is. Others (devices, pipes, sockets) are never made. */
export type EntryType = 'file' | 'folder' | 'link' | 'hard link' | 'other';

/** One entry of an archive. */
export interface ArchiveEntry {
  /** Its path as the archive has it: any bytes. */
  readonly path: Buffer;
  readonly type: EntryType;
  /** Where a link leads; empty for all else. */
  readonly linkTo: Buffer;
  readonly isExecutable: boolean;
  /** The bytes of a file, to be read before the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>;
}
