import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { NotFoundError, QuotaError } from '../../core/errors.js';
import type { Artifact } from '../../gen/pandafuzz/v1/artifact.js';
import type {
  ArtifactHeader,
  UploadArtifactResponse,
} from '../../gen/pandafuzz/v1/artifact_service.js';
import { getArtifact } from '../../store/ops/corpus/get-artifact.js';
import { putArtifact } from '../../store/ops/corpus/put-artifact.js';
import type { ArtifactRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import { artifactKindName, artifactRecord } from '../messages/records.js';
import { Violations } from '../messages/violations.js';

/** Targets and seeds, stored by their SHA-256. */
export class Artifacts {
  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly maxBytes: number,
  ) {}

  /**
   * Stores a file. A file that is there already is answered at once, without its bytes.
   *
   * @throws ValidationError, QuotaError, DataLossError, DiskFullError
   */
  async upload(
    ctx: RequestContext,
    header: ArtifactHeader,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<UploadArtifactResponse> {
    const kind = this.#check(header);
    const { sha256, sizeBytes, name } = header;
    const row = { sha256, kind, name, size_bytes: sizeBytes, created_at: this.clock.now() };
    const record = () => this.store.run(ctx, putArtifact, row);
    const { artifact, alreadyExisted } = await this.store.blobs.keep(ctx, header, chunks, record);
    return { artifact: artifactRecord(artifact), alreadyExisted };
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, sha256: string): Promise<Artifact> {
    new Violations().sha256(sha256, 'sha256').throwIfAny();
    const row = await this.store.run(ctx, getArtifact, sha256);
    if (!row) throw new NotFoundError({ resource: 'artifact', id: sha256 });
    return artifactRecord(row);
  }

  #check(header: ArtifactHeader): ArtifactRow['kind'] {
    const kind = artifactKindName(header.kind);
    new Violations()
      .sha256(header.sha256, 'header.sha256')
      .expect(kind !== undefined, 'header.kind', 'must say what the artifact is for')
      .text(header.name, 'header.name', { min: 1, max: 128 })
      .expect(!header.name.includes('/'), 'header.name', "must not contain '/'")
      .whole(header.sizeBytes, 'header.size_bytes', { min: 1, max: Number.MAX_SAFE_INTEGER })
      .throwIfAny();
    if (header.sizeBytes > this.maxBytes) {
      const why = `an artifact may have at most ${this.maxBytes} bytes (limits.max_artifact)`;
      throw new QuotaError({ subject: 'limits.max_artifact', why });
    }
    return kind as ArtifactRow['kind'];
  }
}
