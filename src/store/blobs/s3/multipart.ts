import { type FileHandle, open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { RequestContext } from '../../../core/context.js';
import { DataLossError } from '../../../core/errors.js';
import { isUnknownToServer, NoObjectError, WrongAnswerError } from './faults.js';
import { checksumsOf, type Objects } from './objects.js';
import type { UploadSlots } from './upload-slots.js';

/** Bytes of a part, and largest blob that is put at once: what one upload has in memory. */
export const partBytes = 8 * 2 ** 20;
/** S3 takes 10,000; of larger files the parts are larger. */
const mostParts = 9000;
/** Uploads that broke off, and go on at their next try; the oldest goes first. */
const mostBegun = 64;
/** An upload of nobody's, after which it is ended: a day. */
const abandonedAfterMs = 86_400_000;

/** An upload in parts that is not complete. */
interface Begun {
  readonly uploadId: string;
  readonly partBytes: number;
  readonly etags: string[];
}

/** Large files, sent in parts. One that broke off goes on behind its last part, in this process. */
export class MultipartUploads {
  readonly #begun = new Map<string, Begun>();

  constructor(
    private readonly objects: Objects,
    private readonly slots: UploadSlots,
  ) {}

  /** @throws RetryExhaustedError; DataLossError when the file is shorter than announced */
  async send(
    ctx: RequestContext,
    key: string,
    { path, sizeBytes }: { path: string; sizeBytes: number },
  ): Promise<void> {
    const begun = this.#begun.get(key) ?? (await this.#begin(ctx, key, sizeBytes));
    // Nobody else goes on with it meanwhile.
    this.#begun.delete(key);
    try {
      const file = await open(path, 'r');
      try {
        await this.#sendParts(ctx, key, { begun, file, sizeBytes });
      } finally {
        await file.close();
      }
      await this.#complete(ctx, key, { begun, sizeBytes });
    } catch (error) {
      // The server has ended it: the next try begins anew.
      if (error instanceof NoObjectError) throw this.objects.requests.giveUp('part', 1, error);
      await this.#keep(key, begun);
      throw error;
    }
  }

  /** Ends uploads that nobody goes on with, of earlier processes above all; a bounded number. */
  async tidy(isStopped: () => boolean): Promise<void> {
    const { objects } = this;
    const command = new ListMultipartUploadsCommand({
      ...{ Bucket: objects.bucket, Prefix: objects.keyOf('') },
    });
    const { Uploads = [] } = await objects.requests
      .run({ name: 'list' }, (abortSignal) => objects.client.send(command, { abortSignal }))
      .catch((error: unknown) => {
        if (isUnknownToServer(error)) return { Uploads: [] };
        throw error;
      });
    const now = Date.now() + objects.client.config.systemClockOffset;
    for (const { Key = '', UploadId, Initiated } of Uploads) {
      if (isStopped()) return;
      const isOld = Initiated !== undefined && now - Initiated.getTime() > abandonedAfterMs;
      if (isOld && UploadId) await this.#abort(Key.slice(objects.keyOf('').length), UploadId);
    }
  }

  async #begin(ctx: RequestContext, key: string, sizeBytes: number): Promise<Begun> {
    const { objects } = this;
    const begin = new CreateMultipartUploadCommand({
      ...{ Bucket: objects.bucket, Key: objects.keyOf(key) },
    });
    const terms = { name: 'begin', signal: ctx.signal };
    const { UploadId } = await objects.requests.run(terms, (abortSignal) =>
      objects.client.send(begin, { abortSignal }),
    );
    if (!UploadId) throw objects.requests.giveUp('begin', 1, new WrongAnswerError('no UploadId'));
    const needed = Math.ceil(sizeBytes / mostParts);
    return { uploadId: UploadId, partBytes: Math.max(partBytes, needed), etags: [] };
  }

  async #sendParts(
    ctx: RequestContext,
    key: string,
    { begun, file, sizeBytes }: { begun: Begun; file: FileHandle; sizeBytes: number },
  ): Promise<void> {
    for (let part = begun.etags.length; part * begun.partBytes < sizeBytes; part++) {
      const from = part * begun.partBytes;
      const length = Math.min(begun.partBytes, sizeBytes - from);
      await this.slots.during(ctx.signal, async () => {
        const bytes = Buffer.allocUnsafe(length);
        const { bytesRead } = await file.read(bytes, 0, length, from);
        if (bytesRead < length)
          throw new DataLossError({ why: 'this upload is gone: send it again' });
        begun.etags.push(await this.#sendPart(ctx, key, { begun, part, bytes }));
      });
    }
  }

  #sendPart(
    ctx: RequestContext,
    key: string,
    { begun, part, bytes }: { begun: Begun; part: number; bytes: Buffer },
  ): Promise<string> {
    const { objects } = this;
    const { ContentMD5 } = checksumsOf(bytes, '');
    const terms = { name: 'part', bytes: bytes.length, signal: ctx.signal };
    return objects.requests.run(terms, async (abortSignal) => {
      const command = new UploadPartCommand({
        ...{ Bucket: objects.bucket, Key: objects.keyOf(key), Body: bytes },
        ...{ UploadId: begun.uploadId, PartNumber: part + 1 },
        ...{ ContentLength: bytes.length, ContentMD5 },
      });
      const { ETag } = await objects.client.send(command, { abortSignal });
      if (!ETag || !objects.isTagOf(ETag, ContentMD5)) {
        throw new WrongAnswerError('the ETag is not that of the part');
      }
      return ETag;
    });
  }

  /** Whatever is answered: it is there when the object has its length. */
  async #complete(
    ctx: RequestContext,
    key: string,
    { begun, sizeBytes }: { begun: Begun; sizeBytes: number },
  ): Promise<void> {
    const { objects } = this;
    const parts = begun.etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
    const complete = new CompleteMultipartUploadCommand({
      ...{ Bucket: objects.bucket, Key: objects.keyOf(key), UploadId: begun.uploadId },
      MultipartUpload: { Parts: parts },
    });
    const terms = { name: 'complete', bytes: sizeBytes, signal: ctx.signal };
    let failure: unknown;
    try {
      await objects.requests.run(terms, (abortSignal) =>
        objects.client.send(complete, { abortSignal }),
      );
    } catch (error) {
      ctx.signal.throwIfAborted();
      failure = error;
    }
    const found = await objects.look(key, ctx.signal);
    if (found?.sizeBytes === sizeBytes) return;
    if (failure instanceof Error) throw failure;
    throw objects.requests.giveUp('complete', 1, new WrongAnswerError('the object is not there'));
  }

  async #keep(key: string, begun: Begun): Promise<void> {
    this.#begun.set(key, begun);
    const [oldest] = this.#begun;
    if (this.#begun.size <= mostBegun || !oldest) return;
    this.#begun.delete(oldest[0]);
    await this.#abort(oldest[0], oldest[1].uploadId);
  }

  /** What it fails to end, `tidy` does on another day. */
  async #abort(key: string, uploadId: string): Promise<void> {
    const { objects } = this;
    const command = new AbortMultipartUploadCommand({
      ...{ Bucket: objects.bucket, Key: objects.keyOf(key), UploadId: uploadId },
    });
    await objects.requests
      .run({ name: 'abort' }, (abortSignal) => objects.client.send(command, { abortSignal }))
      .catch(() => {});
  }
}
