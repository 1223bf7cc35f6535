import type { RequestContext } from '../../core/context.js';
import type { PackRow } from '../ops/blobs/packs.js';
import type { PlacedBlob } from '../ops/blobs/place-blobs.js';
import type { Expected } from './single-files.js';

/** A file of the folder, or an object of the bucket: a blob of its own, or a pack. */
export type BlobFileName = { readonly sha256: string } | { readonly packId: number };

export interface SizedBlob {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Blobs that lie by themselves, named by their SHA-256. */
export interface Singles {
  /**
   * Keeps the bytes of `chunks`. The bytes of a blob that is there already are not read.
   *
   * @throws DataLossError, DiskFullError; nothing is acknowledged then
   */
  keep(
    ctx: RequestContext,
    expected: Expected,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void>;
  /** Takes over a file of the data folder's disk, whose bytes are checked and synced. */
  adopt(ctx: RequestContext, path: string, sha256: string): Promise<void>;
  /** The size of a blob that is durable; undefined if it has to be written. */
  confirm(ctx: RequestContext, sha256: string): Promise<number | undefined>;
  /** The bytes from `offset` on. Throws an error of code ENOENT where there is no such blob. */
  read(
    ctx: RequestContext,
    sha256: string,
    wanted: { offset: number; chunkBytes: number },
  ): AsyncIterable<Buffer>;
  /** @returns undefined when there is no such blob, or its bytes are damaged */
  readWhole(sha256: string): Promise<Buffer | undefined>;
  /** @returns the bytes that were freed */
  remove(blobs: readonly SizedBlob[]): Promise<number>;
  /** Blobs of one of the 256 folders that nothing has changed for `ageMs`, `limit` at a time. */
  listOld(folder: number, ageMs: number, limit: number): AsyncGenerator<SizedBlob[]>;
}

/** Packs, as they are read and removed. */
export interface Packs {
  /** Reads of one caller under way at once. */
  readonly readsAtOnce: number;
  /** Reads of an entry whose checksum does not fit, before it counts as damaged. */
  readonly triesOfDamaged: number;
  /** Size and time of the last change (this machine's clock); undefined when it is not there. */
  look(id: number): Promise<{ sizeBytes: number; changedAt: number } | undefined>;
  /** The size, which may be remembered; 0 when it is not there. */
  sizeOf(id: number): Promise<number>;
  /** Bytes of a pack; fewer where it ends before, none where it is missing. */
  read(id: number, position: number, lengthBytes: number): Promise<Buffer>;
  remove(id: number): Promise<void>;
  /** Some packs that may have no row, a bounded number for each call. */
  listSome(): Promise<number[]>;
}

/** A blob that is in memory as a whole. */
export interface SmallBlob {
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** Entries that are durable. Their pack is not compacted before `release`. */
export interface Appended {
  readonly placed: readonly PlacedBlob[];
  release(): void;
}

/** Writes entries into packs. */
export interface Appender {
  /** Whether entries may still be added to the pack, or have been and no row refers to them yet. */
  isInUse(id: number): boolean;
  /** Resolves when all of them are durable; none of them counts as written after an error. */
  append(blobs: readonly SmallBlob[]): Promise<Appended>;
}

/** How much of the packs one round of the sweep looks at. */
export interface PackUpkeep {
  /** Mostly dead packs that are emptied. */
  readonly compacted: number;
  /** Packs whose bytes are removed. */
  readonly removed: number;
  /** A pack below that is small, and joined with others; 0: packs grow by themselves. */
  readonly smallBytes: number;
}

/** Where the bytes of blobs are. Names, and the contents of packs, are the same everywhere. */
export interface Depot {
  readonly kind: 'folder' | 's3';
  /** For people: the folder, absolute, or the URL. */
  readonly location: string;
  readonly singles: Singles;
  readonly packs: Packs;
  readonly appender: Appender;
  readonly upkeep: PackUpkeep;
  /**
   * @param lastPack the newest pack that the database knows
   * @throws UserError, or the system's error
   */
  open(lastPack: PackRow | undefined): Promise<void>;
  /**
   * A file as it is, from `offset` on; undefined when there is no such file.
   */
  openFile(
    ctx: RequestContext,
    name: BlobFileName,
    wanted: { offset: number; chunkBytes: number },
  ): Promise<{ sizeBytes: number; chunks: AsyncIterable<Buffer> } | undefined>;
  /** Takes over a file of the data folder's disk as a pack, and replaces the one of that id. */
  addPack(ctx: RequestContext, id: number, path: string): Promise<void>;
  /** What only a depot of another kind does in a round of the sweep. */
  tidy(signal: AbortSignal): Promise<void>;
  /** Ends after what was taken. */
  close(): Promise<void>;
}
