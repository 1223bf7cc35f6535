import { type ClientReadableStream, Metadata } from '@grpc/grpc-js';
import { DataLossError, StalledError } from '../core/errors.js';
import type { Artifact } from '../gen/pandafuzz/v1/artifact.js';
import {
  CrashReport,
  type ReportCrashRequest,
  type ReportCrashResponse,
} from '../gen/pandafuzz/v1/crash_service.js';
import type {
  DownloadBlobFileResponse,
  HoldBlobsResponse,
} from '../gen/pandafuzz/v1/system_service.js';
import type { Connection } from './connect.js';
import { chunksOf } from './file-chunks.js';
import { receiveFile } from './receive-file.js';
import { defaultStallMs, type SendOptions, sendMessages, watchMoves } from './send.js';

export { chunkBytes, fingerprint } from './file-chunks.js';
export { uploadArtifact } from './upload.js';

/** There is no time for a whole transfer: it ends when nothing has moved for `stallMs`. */
export interface TransferOptions extends SendOptions {
  /** Called as bytes move. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Called when it has got no further for some seconds, and is tried again; then now and then. */
  readonly onTrouble?: (why: string, forMs: number) => void;
}

/** Longest that a master may take to copy its database before it sends it, milliseconds. */
const copyMs = 10 * 60_000;

/** A report whose sender may not know how the crash came about, or met it once. */
export type CrashAccount = Pick<CrashReport, 'lease' | 'inputSha256' | 'inputSizeBytes'> &
  Partial<CrashReport>;

/**
 * Uploads a crash; resolves once the master has report and input on disk.
 *
 * @param input path of the crashing input, or its bytes
 */
export function reportCrash(
  { crashes }: Connection,
  account: CrashAccount,
  input: string | Buffer,
  { onProgress, ...options }: TransferOptions = {},
): Promise<ReportCrashResponse> {
  const report = CrashReport.create({ hits: 1, ...account });
  const messages = async function* (): AsyncGenerator<ReportCrashRequest> {
    yield { message: { $case: 'report', value: report } };
    let doneBytes = 0;
    for await (const chunk of chunksOf(input)) {
      yield { message: { $case: 'chunk', value: chunk } };
      doneBytes += chunk.length;
      onProgress?.(doneBytes, report.inputSizeBytes);
    }
  };
  return sendMessages<ReportCrashRequest, ReportCrashResponse>(
    (metadata, callback) => crashes.reportCrash(metadata, callback),
    messages(),
    options,
  );
}

/**
 * Downloads an artifact to `path`, which appears when the file is complete. What has arrived of
 * one that breaks off stays beside it, and the next try goes on there.
 */
export async function downloadArtifact(
  { artifacts }: Connection,
  sha256: string,
  path: string,
  options: TransferOptions = {},
): Promise<Artifact> {
  let artifact: Artifact | undefined;
  await receiveFile({
    start: (offsetBytes) => artifacts.downloadArtifact({ sha256, offsetBytes }, new Metadata()),
    read: (message) => {
      artifact ??= message.artifact;
      return { sha256, sizeBytes: artifact?.sizeBytes ?? 0, chunk: message.chunk };
    },
    path,
    goesOn: 'disk',
    options,
  });
  if (!artifact) throw new DataLossError({ why: 'the master sent no artifact header' });
  return artifact;
}

/** Downloads the input of a crash to `path`, which appears when the file is complete. */
export function downloadCrashInput(
  { crashes }: Connection,
  crashId: string,
  path: string,
  options: TransferOptions = {},
): Promise<{ sha256: string; sizeBytes: number }> {
  const start = (offsetBytes: number) =>
    crashes.downloadCrashInput({ crashId, offsetBytes }, new Metadata());
  return receiveAnnounced({ start, path, goesOn: 'process', options });
}

/** Downloads a checked copy of the master's database to `path`, which appears when it is complete. */
export function downloadBackup(
  { system }: Connection,
  path: string,
  options: TransferOptions = {},
): Promise<{ sha256: string; sizeBytes: number }> {
  const start = () => system.backupDatabase({}, new Metadata());
  return receiveAnnounced({ start, path, goesOn: 'never', firstMs: copyMs, options });
}

/**
 * Downloads a file of the master's folder of blobs to `path`, which appears when it is complete.
 *
 * @throws grpc-js's ServiceError NOT_FOUND when the master has no such file
 */
export async function downloadBlobFile(
  { system }: Connection,
  name: { sha256: string } | { packId: number },
  path: string,
  options: TransferOptions = {},
): Promise<void> {
  const isPack = 'packId' in name;
  const request = isPack ? { sha256: '', packId: name.packId } : { sha256: name.sha256, packId: 0 };
  await receiveFile<DownloadBlobFileResponse>({
    start: (offsetBytes) => system.downloadBlobFile({ ...request, offsetBytes }, new Metadata()),
    // The name of a blob is its SHA-256; that of a pack comes with its end.
    read: ({ sha256, sizeBytes, chunk }) => {
      return { sha256: isPack ? sha256 : name.sha256, sizeBytes, chunk };
    },
    path,
    goesOn: isPack ? 'never' : 'process',
    options,
  });
}

/**
 * Keeps all blobs on the master's disk until `signal` aborts. Resolves when it does.
 *
 * @param onEnded called when the master ends it before
 */
export async function holdBlobs(
  { system }: Connection,
  signal: AbortSignal,
  onEnded: (why: Error) => void,
): Promise<HoldBlobsResponse> {
  const held = Promise.withResolvers<HoldBlobsResponse>();
  const ended = (error: Error) => {
    held.reject(error);
    if (!signal.aborted) onEnded(error);
  };
  const call = system.holdBlobs({}, new Metadata());
  call.on('data', held.resolve);
  call.on('error', ended);
  call.on('end', () =>
    ended(new DataLossError({ why: 'the master does not hold the blobs any more' })),
  );
  const cancel = () => call.cancel();
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  const watch = watchMoves(defaultStallMs, () => {
    held.reject(new StalledError({ stalledMs: defaultStallMs }));
    cancel();
  });
  return held.promise.finally(watch.end);
}

/** For downloads whose first message has length and SHA-256. */
async function receiveAnnounced(receiving: {
  start: (
    offsetBytes: number,
  ) => ClientReadableStream<{ sha256: string; sizeBytes: number; chunk: Uint8Array }>;
  path: string;
  goesOn: 'never' | 'process';
  firstMs?: number;
  options: TransferOptions;
}): Promise<{ sha256: string; sizeBytes: number }> {
  let whole = { sha256: '', sizeBytes: 0 };
  await receiveFile({
    ...receiving,
    read: (message) => {
      if (message.sha256) whole = { sha256: message.sha256, sizeBytes: message.sizeBytes };
      return { ...whole, chunk: message.chunk };
    },
  });
  return whole;
}
