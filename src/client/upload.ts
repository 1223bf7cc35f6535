import { randomUUID } from 'node:crypto';
import { status as Code } from '@grpc/grpc-js';
import type { ArtifactKind } from '../gen/pandafuzz/v1/artifact.js';
import type {
  UploadArtifactRequest,
  UploadArtifactResponse,
} from '../gen/pandafuzz/v1/artifact_service.js';
import { unary } from './call.js';
import type { Connection } from './connect.js';
import { failureOf, isAway } from './failure.js';
import { chunksOf, fingerprint } from './file-chunks.js';
import { isPassing, Tries } from './passing.js';
import { sendMessages } from './send.js';
import type { TransferOptions } from './transfer.js';

/** A file that is uploaded. */
interface Upload {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly kind: ArtifactKind;
  readonly name: string;
  /** The same for each try. */
  readonly uploadId: string;
}

/** Of smaller files the master is not asked first how much of them it has. */
const askedFirstBytes = 2 ** 20;

/**
 * Uploads a file, unless the master has it already. An upload that breaks off goes on where it
 * was, also where an earlier process left it, for as long as it gets further.
 *
 * @throws grpc-js's ServiceError; StalledError
 */
export async function uploadArtifact(
  connection: Connection,
  file: { readonly path: string; readonly kind: ArtifactKind; readonly name: string },
  options: TransferOptions = {},
): Promise<UploadArtifactResponse> {
  const { signal = new AbortController().signal, onTrouble } = options;
  const upload = { ...file, ...(await fingerprint(file.path)), uploadId: randomUUID() };
  let reachedBytes = 0;
  const tries = new Tries({ signal, onTrouble });
  for (let isRetry = false; ; isRetry = true) {
    try {
      const mayBeThere = isRetry || upload.sizeBytes > askedFirstBytes;
      const offsetBytes = mayBeThere ? await arrivedBytes(connection, upload, options) : 0;
      if (offsetBytes > reachedBytes) tries.gotFurther();
      reachedBytes = Math.max(reachedBytes, offsetBytes);
      return await sendFrom(offsetBytes, connection, upload, options);
    } catch (error) {
      if (signal.aborted || !mayGoOn(error)) throw error;
      // Nothing has ever arrived, and no master answers: there is none.
      if (reachedBytes === 0 && isAway(error) && !(await answers(connection, upload, options))) {
        throw error;
      }
      await tries.again(error);
    }
  }
}

/** Parts that are gone or damaged are begun anew. */
function mayGoOn(error: unknown): boolean {
  const code = failureOf(error)?.code;
  return isPassing(error) || code === Code.OUT_OF_RANGE || code === Code.DATA_LOSS;
}

const answers = (connection: Connection, upload: Upload, options: TransferOptions) =>
  arrivedBytes(connection, upload, options).then(
    () => true,
    () => false,
  );

/** Bytes of the file that the master has; 0 for a master that knows no such question. */
async function arrivedBytes(
  { artifacts }: Connection,
  { sha256, uploadId }: Upload,
  { signal }: TransferOptions,
): Promise<number> {
  try {
    const limits = signal ? { signal } : {};
    const request = { sha256, uploadId };
    return (await unary(artifacts, artifacts.getUpload, request, limits)).receivedBytes;
  } catch (error) {
    if (failureOf(error)?.code === Code.UNIMPLEMENTED) return 0;
    throw error;
  }
}

function sendFrom(
  offsetBytes: number,
  { artifacts }: Connection,
  { path, ...header }: Upload,
  { onProgress, ...options }: TransferOptions,
): Promise<UploadArtifactResponse> {
  const messages = async function* (): AsyncGenerator<UploadArtifactRequest> {
    yield { message: { $case: 'header', value: { ...header, offsetBytes } } };
    let doneBytes = offsetBytes;
    for await (const chunk of chunksOf(path, offsetBytes)) {
      yield { message: { $case: 'chunk', value: chunk } };
      doneBytes += chunk.length;
      onProgress?.(doneBytes, header.sizeBytes);
    }
  };
  return sendMessages<UploadArtifactRequest, UploadArtifactResponse>(
    (metadata, callback) => artifacts.uploadArtifact(metadata, callback),
    messages(),
    options,
  );
}
