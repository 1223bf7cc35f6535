import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { NotFoundError, QuotaError, ValidationError } from '../../core/errors.js';
import type { Artifact } from '../../gen/pandafuzz/v1/artifact.js';
import type {
  ArtifactHeader,
  GetUploadRequest,
  GetUploadResponse,
  UploadArtifactResponse,
} from '../../gen/pandafuzz/v1/artifact_service.js';
import { getArtifact } from '../../store/ops/corpus/get-artifact.js';
import { putArtifact } from '../../store/ops/corpus/put-artifact.js';
import type { ArtifactKindName, ArtifactRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import { artifactHeadBytes, artifactProblem } from '../../target/artifact-head.js';
import { artifactKindName, artifactRecord } from '../messages/records.js';
import { Violations } from '../messages/violations.js';

/** What the store has of an upload. */
interface Stored {
  readonly artifact: ArtifactRow;
  readonly alreadyExisted: boolean;
}

/** Targets, bundles, seeds and dictionaries, stored by their SHA-256. */
export class Artifacts {
  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly limits: { readonly max_artifact: number; readonly max_artifacts: number },
  ) {}

  /**
   * Stores a file, or the rest of one. A file that is there already is answered at once,
   * without its bytes.
   *
   * @throws ValidationError, QuotaError, DataLossError, DiskFullError, OutOfRangeError,
   *   ReplacedError
   */
  async upload(
    ctx: RequestContext,
    header: ArtifactHeader,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<UploadArtifactResponse> {
    const kind = this.#check(header);
    const { sha256, sizeBytes, name } = header;
    const row = { sha256, kind, name, size_bytes: sizeBytes, created_at: this.clock.now() };
    const quota = {
      most: this.limits.max_artifacts,
      setting: 'limits.max_artifacts',
      whatToDo: 'archive campaigns and jobs that are not needed, or raise the setting',
    };
    const record = async () => {
      await this.#expectKind(ctx, sha256, kind);
      return this.store.run(ctx, putArtifact, { ...row, quota });
    };
    const { blobs } = this.store;
    const { artifact, alreadyExisted } = (await blobs.has(ctx, sha256))
      ? await blobs.keep(ctx, { sha256, sizeBytes }, chunks, record)
      : await this.#receiveNew(ctx, header, this.#checked(chunks, header, kind), record);
    return { artifact: artifactRecord(artifact), alreadyExisted };
  }

  /** @throws ValidationError */
  async uploadState(
    ctx: RequestContext,
    { sha256, uploadId }: GetUploadRequest,
  ): Promise<GetUploadResponse> {
    checkUploadId(uploadId, 'upload_id', new Violations().sha256(sha256, 'sha256')).throwIfAny();
    const known = await this.store.run(ctx, getArtifact, sha256);
    if (known) return { complete: true, receivedBytes: 0 };
    const receivedBytes = this.store.unfinished.received(sha256, uploadId);
    return { complete: false, receivedBytes };
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, sha256: string): Promise<Artifact> {
    new Violations().sha256(sha256, 'sha256').throwIfAny();
    const row = await this.store.run(ctx, getArtifact, sha256);
    if (!row) throw new NotFoundError({ resource: 'artifact', id: sha256 });
    return artifactRecord(row);
  }

  /** @throws DiskFullError before a byte is taken for which there is no room */
  async #receiveNew(
    ctx: RequestContext,
    header: ArtifactHeader,
    chunks: AsyncIterable<Uint8Array>,
    record: () => Promise<Stored>,
  ): Promise<Stored> {
    const { room } = this.store;
    await room.expect(header.sizeBytes - header.offsetBytes, 'new');
    return this.#receive(ctx, header, room.watched(chunks, 'new'), record);
  }

  /** Goes on with what is there of the file, unless another sender is at work on it. */
  async #receive(
    ctx: RequestContext,
    header: ArtifactHeader,
    chunks: AsyncIterable<Uint8Array>,
    record: () => Promise<Stored>,
  ): Promise<Stored> {
    const { sha256, sizeBytes, offsetBytes, uploadId } = header;
    const { blobs, unfinished } = this.store;
    if (offsetBytes === 0 && unfinished.isTaken(sha256, uploadId)) {
      return blobs.keep(ctx, { sha256, sizeBytes }, chunks, record);
    }
    const upload = { sha256, sizeBytes, offsetBytes, uploadId };
    const path = await unfinished.receive(ctx, upload, chunks);
    const stored = await blobs.adopt(ctx, { sha256, path }, record);
    await unfinished.forget(sha256);
    return stored;
  }

  /** The chunks; the first bytes of a file say whether it can be what it is sent as. */
  async *#checked(
    chunks: AsyncIterable<Uint8Array>,
    { offsetBytes }: ArtifactHeader,
    kind: ArtifactKindName,
  ): AsyncGenerator<Uint8Array> {
    let isFirst = offsetBytes === 0;
    for await (const chunk of chunks) {
      if (isFirst && chunk.length > 0) {
        throwIfProblem(artifactProblem(kind, chunk.subarray(0, artifactHeadBytes)));
        isFirst = false;
      }
      yield chunk;
    }
  }

  /** The same for a file that is there: it may have come as another thing. */
  async #expectKind(ctx: RequestContext, sha256: string, kind: ArtifactKindName): Promise<void> {
    const head = { offset: 0, chunkBytes: artifactHeadBytes };
    for await (const chunk of this.store.blobs.read(ctx, sha256, head)) {
      return throwIfProblem(artifactProblem(kind, chunk));
    }
  }

  #check(header: ArtifactHeader): ArtifactKindName {
    const kind = artifactKindName(header.kind);
    const found = new Violations()
      .sha256(header.sha256, 'header.sha256')
      .expect(kind !== undefined, 'header.kind', 'must say what the artifact is for')
      .text(header.name, 'header.name', { min: 1, max: 128 })
      .expect(!header.name.includes('/'), 'header.name', "must not contain '/'")
      .whole(header.sizeBytes, 'header.size_bytes', { min: 1, max: Number.MAX_SAFE_INTEGER })
      .whole(header.offsetBytes, 'header.offset_bytes', { min: 0, max: header.sizeBytes });
    checkUploadId(header.uploadId, 'header.upload_id', found).throwIfAny();
    if (header.sizeBytes > this.limits.max_artifact) {
      const why = `an artifact may have at most ${this.limits.max_artifact} bytes (limits.max_artifact)`;
      throw new QuotaError({ subject: 'limits.max_artifact', why });
    }
    return kind as ArtifactKindName;
  }
}

const checkUploadId = (uploadId: string, path: string, found: Violations) =>
  found.expect(
    /^[A-Za-z0-9-]{0,64}$/.test(uploadId),
    path,
    "must be up to 64 letters, digits and '-'",
  );

function throwIfProblem(problem: string | undefined): void {
  if (problem === undefined) return;
  throw new ValidationError({ violations: [{ path: 'header.kind', problem }] });
}
