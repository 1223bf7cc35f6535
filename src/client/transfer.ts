import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { type ClientReadableStream, Metadata } from '@grpc/grpc-js';
import { DataLossError } from '../core/errors.js';
import type { Artifact, ArtifactKind } from '../gen/pandafuzz/v1/artifact.js';
import type {
  UploadArtifactRequest,
  UploadArtifactResponse,
} from '../gen/pandafuzz/v1/artifact_service.js';
import {
  CrashReport,
  type ReportCrashRequest,
  type ReportCrashResponse,
} from '../gen/pandafuzz/v1/crash_service.js';
import { deadlineAfter } from './call.js';
import type { Connection } from './connect.js';
import { sendMessages } from './send.js';

/** Bytes in a message, the contract's limit. */
export const chunkBytes = 256 * 1024;

export interface TransferOptions {
  /** Whole transfer, milliseconds. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called as bytes move. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export const defaultTransferMs = 10 * 60_000;

/** SHA-256 (hex) and length of a file. */
export async function fingerprint(path: string): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** Uploads a file, unless the master has it already. */
export async function uploadArtifact(
  connection: Connection,
  file: { path: string; kind: ArtifactKind; name: string },
  options: TransferOptions = {},
): Promise<UploadArtifactResponse> {
  const { sha256, sizeBytes } = await fingerprint(file.path);
  const header = { sha256, sizeBytes, kind: file.kind, name: file.name };
  return sendFile<UploadArtifactRequest, UploadArtifactResponse>({
    send: (metadata, callOptions, callback) =>
      connection.artifacts.uploadArtifact(metadata, callOptions, callback),
    first: { message: { $case: 'header', value: header } },
    wrap: (chunk) => ({ message: { $case: 'chunk', value: chunk } }),
    content: file.path,
    sizeBytes,
    options,
  });
}

/** A report whose sender may not know how the crash came about, or met it once. */
export type CrashAccount = Pick<CrashReport, 'lease' | 'inputSha256' | 'inputSizeBytes'> &
  Partial<CrashReport>;

/**
 * Uploads a crash; resolves once the master has report and input on disk.
 *
 * @param input path of the crashing input, or its bytes
 */
export function reportCrash(
  connection: Connection,
  account: CrashAccount,
  input: string | Buffer,
  options: TransferOptions = {},
): Promise<ReportCrashResponse> {
  const report = CrashReport.create({ hits: 1, ...account });
  return sendFile<ReportCrashRequest, ReportCrashResponse>({
    send: (metadata, callOptions, callback) =>
      connection.crashes.reportCrash(metadata, callOptions, callback),
    first: { message: { $case: 'report', value: report } },
    wrap: (chunk) => ({ message: { $case: 'chunk', value: chunk } }),
    content: input,
    sizeBytes: report.inputSizeBytes,
    options,
  });
}

/** Downloads an artifact to `path`, which appears when the file is complete. */
export async function downloadArtifact(
  connection: Connection,
  sha256: string,
  path: string,
  options: TransferOptions = {},
): Promise<Artifact> {
  const deadline = deadlineAfter(options.timeoutMs ?? defaultTransferMs);
  const start = () =>
    connection.artifacts.downloadArtifact({ sha256, offsetBytes: 0 }, new Metadata(), { deadline });
  let artifact: Artifact | undefined;
  await receiveFile(start, path, options, (message) => {
    artifact ??= message.artifact;
    return { sha256, sizeBytes: artifact?.sizeBytes ?? 0, chunk: message.chunk };
  });
  if (!artifact) throw new DataLossError({ why: 'the master sent no artifact header' });
  return artifact;
}

/** Downloads the input of a crash to `path`, which appears when the file is complete. */
export async function downloadCrashInput(
  connection: Connection,
  crashId: string,
  path: string,
  options: TransferOptions = {},
): Promise<{ sha256: string; sizeBytes: number }> {
  const deadline = deadlineAfter(options.timeoutMs ?? defaultTransferMs);
  const start = () =>
    connection.crashes.downloadCrashInput({ crashId, offsetBytes: 0 }, new Metadata(), {
      deadline,
    });
  return receiveAnnounced(start, path, options);
}

/** Downloads a checked copy of the master's database to `path`, which appears when it is complete. */
export async function downloadBackup(
  connection: Connection,
  path: string,
  options: TransferOptions = {},
): Promise<{ sha256: string; sizeBytes: number }> {
  const deadline = deadlineAfter(options.timeoutMs ?? defaultTransferMs);
  const start = () => connection.system.backupDatabase({}, new Metadata(), { deadline });
  return receiveAnnounced(start, path, options);
}

/** For downloads whose first message has length and SHA-256. */
async function receiveAnnounced(
  start: () => ClientReadableStream<{ sha256: string; sizeBytes: number; chunk: Uint8Array }>,
  path: string,
  options: TransferOptions,
): Promise<{ sha256: string; sizeBytes: number }> {
  let whole = { sha256: '', sizeBytes: 0 };
  await receiveFile(start, path, options, (message) => {
    if (message.sha256) whole = { sha256: message.sha256, sizeBytes: message.sizeBytes };
    return { ...whole, chunk: message.chunk };
  });
  return whole;
}

/** A file on its way, and how messages are made of it. */
interface Sending<Request, Response> {
  readonly send: Parameters<typeof sendMessages<Request, Response>>[0];
  readonly first: Request;
  readonly wrap: (chunk: Buffer) => Request;
  /** Path of the file, or its bytes. */
  readonly content: string | Buffer;
  readonly sizeBytes: number;
  readonly options: TransferOptions;
}

/** Sends the first message, then the file in chunks. */
function sendFile<Request, Response>(sending: Sending<Request, Response>): Promise<Response> {
  const { send, first, wrap, content, sizeBytes, options } = sending;
  const { signal, onProgress, timeoutMs = defaultTransferMs } = options;
  const messages = async function* () {
    yield first;
    let doneBytes = 0;
    for await (const chunk of chunksOf(content)) {
      yield wrap(chunk);
      doneBytes += chunk.length;
      onProgress?.(doneBytes, sizeBytes);
    }
  };
  return sendMessages(send, messages(), { timeoutMs, signal });
}

/** Bytes of a file, or those in memory, in messages' sizes. */
async function* chunksOf(content: string | Buffer): AsyncGenerator<Buffer> {
  if (typeof content === 'string') {
    yield* createReadStream(content, { highWaterMark: chunkBytes });
    return;
  }
  for (let at = 0; at < content.length; at += chunkBytes) {
    yield content.subarray(at, at + chunkBytes);
  }
}

/** Writes to a temporary name, checks the SHA-256, then renames the file to `path`. */
async function receiveFile<Message>(
  start: () => ClientReadableStream<Message>,
  path: string,
  options: TransferOptions,
  read: (message: Message) => { sha256: string; sizeBytes: number; chunk: Uint8Array },
): Promise<void> {
  const partial = `${path}.part`;
  const hash = createHash('sha256');
  let doneBytes = 0;
  let expected = '';
  // The file first: a call without a listener for its errors would end the process.
  const file = await open(partial, 'w');
  const call = start();
  const cancel = () => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  if (options.signal?.aborted) cancel();
  try {
    await pipeline(
      call,
      async function* (messages: AsyncIterable<Message>) {
        for await (const message of messages) {
          const { sha256, sizeBytes, chunk } = read(message);
          expected = sha256;
          hash.update(chunk);
          doneBytes += chunk.length;
          options.onProgress?.(doneBytes, sizeBytes);
          yield chunk;
        }
      },
      file.createWriteStream(),
    );
    if (hash.digest('hex') !== expected) {
      throw new DataLossError({
        why: 'the bytes that arrived do not have the announced SHA-256; try again',
      });
    }
    await rename(partial, path);
  } catch (error) {
    call.on('error', () => {}); // of the cancellation below; nothing waits for it
    call.cancel();
    await rm(partial, { force: true });
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', cancel);
  }
}
