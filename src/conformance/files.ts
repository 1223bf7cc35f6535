import { createHash } from 'node:crypto';
import {
  status as Code,
  type Server,
  type ServerReadableStream,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { newId } from '../core/ids.js';
import { ArtifactKind } from '../gen/pandafuzz/v1/artifact.js';
import {
  ArtifactServiceService,
  type DownloadArtifactRequest,
  type DownloadArtifactResponse,
} from '../gen/pandafuzz/v1/artifact_service.js';
import {
  CorpusServiceService,
  type PullCorpusRequest,
  type PullCorpusResponse,
  type PushCorpusRequest,
} from '../gen/pandafuzz/v1/corpus_service.js';
import {
  type CrashReport,
  CrashServiceService,
  type ReportCrashRequest,
  ReportCrashResponse,
} from '../gen/pandafuzz/v1/crash_service.js';
import type { OfferedJob } from './jobs.js';
import type { PlayedMaster } from './master.js';

const mostChunkBytes = 256 * 1024;

interface StoredFile {
  readonly bytes: Buffer;
  /** Times its next downloads break off half way. */
  breaks: number;
  /** Sends other bytes than those of its SHA-256. */
  readonly isWrong: boolean;
}

/** Artifacts, crashes and inputs, as far as a bot needs them. */
export class Files {
  readonly #artifacts = new Map<string, StoredFile>();
  /** Jobs of the reports that were stored. */
  readonly crashes: (OfferedJob | undefined)[] = [];
  /** Reports that come next and are refused as UNAVAILABLE. */
  crashRefusals = 0;
  refusedCrashes = 0;

  constructor(private readonly master: PlayedMaster) {}

  add(bytes: Buffer, { breaks = 0, isWrong = false } = {}): StoredFile {
    const file = { bytes, breaks, isWrong };
    this.#artifacts.set(createHash('sha256').update(bytes).digest('hex'), file);
    return file;
  }

  addTo(server: Server): void {
    server.addService(ArtifactServiceService, {
      downloadArtifact: (
        call: ServerWritableStream<DownloadArtifactRequest, DownloadArtifactResponse>,
      ) => this.#download(call),
    });
    server.addService(CrashServiceService, {
      reportCrash: (
        call: ServerReadableStream<ReportCrashRequest, ReportCrashResponse>,
        callback: sendUnaryData<ReportCrashResponse>,
      ) => void this.#crash(call, callback).catch((error: Error) => callback(error)),
      reportCrashHits: (_: unknown, callback: sendUnaryData<unknown>) => callback(null, {}),
    });
    server.addService(CorpusServiceService, {
      pushCorpus: (
        call: ServerReadableStream<PushCorpusRequest, unknown>,
        callback: sendUnaryData<unknown>,
      ) => void this.#push(call, callback).catch((error: Error) => callback(error)),
      pullCorpus: (call: ServerWritableStream<PullCorpusRequest, PullCorpusResponse>) => call.end(),
      putInputsAside: (_: unknown, callback: sendUnaryData<unknown>) => callback(null, {}),
      listInputsPutAside: (_: unknown, callback: sendUnaryData<unknown>) =>
        callback(null, { inputs: [], nextPageToken: '' }),
    });
  }

  #download(call: ServerWritableStream<DownloadArtifactRequest, DownloadArtifactResponse>): void {
    const { sha256, offsetBytes } = call.request;
    const file = this.#artifacts.get(sha256);
    if (!file) {
      call.emit('error', { code: Code.NOT_FOUND, details: 'there is no such artifact' });
      return;
    }
    const { bytes } = file;
    if (offsetBytes > bytes.length) {
      const details = `offset_bytes is beyond the ${bytes.length} bytes of the artifact`;
      call.emit('error', { code: Code.OUT_OF_RANGE, details });
      return;
    }
    const half = Math.floor(bytes.length / 2);
    const name = 'conformance';
    const sizeBytes = bytes.length;
    const artifact = { sha256, kind: ArtifactKind.TARGET, name, sizeBytes, createdAt: undefined };
    const rest = file.isWrong ? Buffer.from(bytes).fill('#', half) : bytes;
    const middle = Math.max(half, offsetBytes);
    call.write({ artifact, chunk: rest.subarray(offsetBytes, middle) });
    if (file.breaks > 0) {
      file.breaks -= 1;
      call.emit('error', { code: Code.UNAVAILABLE, details: 'the download broke off' });
    } else {
      call.write({ artifact: undefined, chunk: rest.subarray(middle) });
      call.end();
    }
    this.master.changes.wake();
  }

  async #crash(
    call: ServerReadableStream<ReportCrashRequest, ReportCrashResponse>,
    callback: sendUnaryData<ReportCrashResponse>,
  ): Promise<void> {
    const { findings } = this.master;
    let report: CrashReport | undefined;
    const hash = createHash('sha256');
    let size = 0;
    for await (const { message } of call as AsyncIterable<ReportCrashRequest>) {
      if (message?.$case === 'report') report ??= message.value;
      else if (message?.$case === 'chunk') {
        if (!report)
          findings.broken('crash', 'ReportCrash began with a chunk, not with the report');
        this.#chunk('ReportCrash', message.value);
        hash.update(message.value);
        size += message.value.length;
      }
    }
    const job = report?.lease && this.master.named('ReportCrash', report.lease);
    if (this.crashRefusals > 0) {
      this.crashRefusals -= 1;
      this.refusedCrashes += 1;
      callback({ code: Code.UNAVAILABLE, details: 'the crash cannot be stored now' });
      return;
    }
    if (!report) findings.broken('crash', 'ReportCrash came without a report');
    else if (report.inputSizeBytes !== size || report.inputSha256 !== hash.digest('hex')) {
      findings.broken(
        'crash',
        "the input of a crash is not what its report's size and SHA-256 say",
      );
    }
    this.crashes.push(job);
    callback(null, ReportCrashResponse.fromPartial({ crashId: newId(), groupId: newId() }));
    this.master.changes.wake();
  }

  async #push(
    call: ServerReadableStream<PushCorpusRequest, unknown>,
    callback: sendUnaryData<unknown>,
  ): Promise<void> {
    let added = 0;
    for await (const { message } of call as AsyncIterable<PushCorpusRequest>) {
      if (message?.$case === 'lease') this.master.named('PushCorpus', message.value);
      else if (message?.$case === 'chunk') this.#chunk('PushCorpus', message.value);
      else if (message?.$case === 'entry') added += 1;
      else if (message?.$case === 'inputs') added += message.value.inputs.length;
    }
    callback(null, { added, known: 0 });
  }

  #chunk(where: string, chunk: Uint8Array): void {
    const { findings } = this.master;
    if (chunk.length <= mostChunkBytes) findings.kept('sizes');
    else findings.broken('sizes', `${where} has a chunk of ${chunk.length} bytes`);
  }
}
