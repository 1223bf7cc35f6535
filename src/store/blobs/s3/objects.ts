import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Signal } from '../../../core/signal.js';
import { isUnknownToServer, NoObjectError, WrongAnswerError } from './faults.js';
import { bucketOf, type S3Options } from './options.js';
import type { Requests } from './requests.js';

/** An object as a list or a look shows it. */
export interface FoundObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** By this machine's clock, milliseconds. */
  readonly changedAt: number;
}

export interface Put {
  readonly bytes: Uint8Array;
  /** In hex, where it is known already. */
  readonly sha256?: string;
  /** Fail with 412 where the key has an object, if the server can. */
  readonly ifNew: boolean;
  readonly signal?: Signal;
}

/** Sockets of one master. */
const mostSockets = 64;

/**
 * Objects of a bucket under a prefix. Keys here have no prefix. Each call has a deadline and a
 * bounded number of tries (requests.ts).
 */
export class Objects {
  readonly client: S3Client;
  readonly bucket: string;
  readonly #prefix: string;
  /** Whether the server refuses to put where an object is; found out at the start. */
  knowsConditions = true;
  /**
   * Whether ETags are MD5 sums, as they are without encryption by a key service: then they show
   * damage on the way to a server that compares no checksums. Found out at the start.
   */
  hasMd5Tags = false;

  constructor(
    options: S3Options,
    readonly requests: Requests,
  ) {
    const { bucket, prefix } = bucketOf(options.url);
    this.bucket = bucket;
    this.#prefix = prefix;
    this.client = clientOf(options);
  }

  keyOf(key: string): string {
    return this.#prefix + key;
  }

  /**
   * Stores an object whole; the server compares the bytes with their checksums.
   *
   * @returns the ETag
   */
  async put(key: string, { bytes, sha256, ifNew, signal }: Put): Promise<string> {
    const terms = { name: 'put', bytes: bytes.length, ...(signal && { signal }) };
    const sums = checksumsOf(bytes, sha256);
    let isDamaged = false;
    return this.requests.run(terms, async (abortSignal) => {
      const isConditional = ifNew && this.knowsConditions && !isDamaged;
      const command = new PutObjectCommand({
        ...{ Bucket: this.bucket, Key: this.keyOf(key), Body: bytes },
        ContentLength: bytes.length,
        ...sums,
        ...(isConditional && { IfNoneMatch: '*' }),
      });
      try {
        const { ETag } = await this.client.send(command, { abortSignal });
        isDamaged = ETag !== undefined && !this.isTagOf(ETag, sums.ContentMD5);
        if (!ETag || isDamaged) throw new WrongAnswerError('the ETag is not that of the bytes');
        return ETag;
      } catch (error) {
        if (!isConditional || !isUnknownToServer(error)) throw error;
        this.knowsConditions = false;
        throw new WrongAnswerError('this server has no conditional writes');
      }
    });
  }

  /** Whether an ETag can be that of bytes with this MD5, in base64. */
  isTagOf(etag: string, md5: string): boolean {
    return !this.hasMd5Tags || isMd5(etag, md5);
  }

  /** @returns undefined where the key has no object */
  async look(key: string, signal?: Signal): Promise<FoundObject | undefined> {
    try {
      return await this.requests.run(
        { name: 'head', ...(signal && { signal }) },
        async (abortSignal) => {
          const command = new HeadObjectCommand({ Bucket: this.bucket, Key: this.keyOf(key) });
          const found = await this.client.send(command, { abortSignal });
          if (found.ContentLength === undefined) throw new WrongAnswerError('no Content-Length');
          return this.#found(key, found.ContentLength, found.LastModified);
        },
      );
    } catch (error) {
      if (error instanceof NoObjectError) return undefined;
      throw error;
    }
  }

  /**
   * Begins to read an object from `offset` on, once: the caller reads the body within its own
   * deadlines (download.ts).
   */
  async get(
    key: string,
    range: string | undefined,
    abortSignal: AbortSignal,
  ): Promise<{ body: Readable; lengthBytes: number }> {
    const command = new GetObjectCommand({
      ...{ Bucket: this.bucket, Key: this.keyOf(key) },
      ...(range !== undefined && { Range: range }),
    });
    const { Body, ContentLength } = await this.client.send(command, { abortSignal });
    if (Body === undefined || ContentLength === undefined) throw new WrongAnswerError('no body');
    return { body: Body as Readable, lengthBytes: ContentLength };
  }

  /** Idempotent. */
  async remove(key: string): Promise<void> {
    try {
      await this.requests.run({ name: 'delete' }, async (abortSignal) => {
        const command = new DeleteObjectCommand({ Bucket: this.bucket, Key: this.keyOf(key) });
        await this.client.send(command, { abortSignal });
      });
    } catch (error) {
      if (!(error instanceof NoObjectError)) throw error;
    }
  }

  /** Objects whose keys begin with `begin`, in order, behind the key `after`; 1000 at most. */
  list(
    begin: string,
    after = '',
    signal?: Signal,
  ): Promise<{ found: FoundObject[]; isLast: boolean }> {
    return this.requests.run({ name: 'list', ...(signal && { signal }) }, async (abortSignal) => {
      const command = new ListObjectsV2Command({
        ...{ Bucket: this.bucket, Prefix: this.keyOf(begin) },
        ...(after !== '' && { StartAfter: this.keyOf(after) }),
      });
      const {
        Contents = [],
        IsTruncated,
        KeyCount,
      } = await this.client.send(command, {
        abortSignal,
      });
      if (KeyCount === undefined && IsTruncated === undefined)
        throw new WrongAnswerError('no list');
      const found = Contents.flatMap(({ Key = '', Size = 0, LastModified }) =>
        Key.startsWith(this.#prefix)
          ? [this.#found(Key.slice(this.#prefix.length), Size, LastModified)]
          : [],
      );
      return { found, isLast: IsTruncated !== true };
    });
  }

  close(): void {
    this.client.destroy();
  }

  /** The library learns from each answer how far the server's clock is off. */
  #found(key: string, sizeBytes: number, changed: Date | undefined): FoundObject {
    const offsetMs = this.client.config.systemClockOffset;
    return { key, sizeBytes, changedAt: (changed?.getTime() ?? Date.now()) - offsetMs };
  }
}

export const isMd5 = (etag: string, md5: string): boolean =>
  etag.replaceAll('"', '').toLowerCase() === Buffer.from(md5, 'base64').toString('hex');

/** A server that knows no SHA-256 here knows the MD5 of 2006; each ignores what it does not know. */
export function checksumsOf(bytes: Uint8Array, sha256?: string) {
  const inBase64 =
    sha256 === undefined
      ? createHash('sha256').update(bytes).digest('base64')
      : Buffer.from(sha256, 'hex').toString('base64');
  return {
    ChecksumSHA256: inBase64,
    ContentMD5: createHash('md5').update(bytes).digest('base64'),
  };
}

function clientOf({ endpoint, region, pathStyle, timeoutMs }: S3Options): S3Client {
  const isOwn = endpoint !== '';
  const given = region !== '' ? region : isOwn ? (process.env['AWS_REGION'] ?? 'us-east-1') : '';
  return new S3Client({
    ...(isOwn && { endpoint }),
    ...(given !== '' && { region: given }),
    forcePathStyle: pathStyle === 'auto' ? isOwn : pathStyle === 'on',
    // The checksums are ours, and so are the tries: a stream cannot be sent twice.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: Math.min(timeoutMs, 5000),
      httpAgent: { maxSockets: mostSockets, keepAlive: true },
      httpsAgent: { maxSockets: mostSockets, keepAlive: true },
      socketAcquisitionWarningTimeout: 2 ** 31 - 1,
    },
  });
}
