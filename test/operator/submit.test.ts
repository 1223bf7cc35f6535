import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ServerReadableStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { Artifact, ArtifactKind } from '../../src/gen/pandafuzz/v1/artifact.js';
import {
  type ArtifactHeader,
  ArtifactServiceService,
  type UploadArtifactRequest,
  type UploadArtifactResponse,
} from '../../src/gen/pandafuzz/v1/artifact_service.js';
import { Job } from '../../src/gen/pandafuzz/v1/job.js';
import {
  type CreateJobRequest,
  type CreateJobResponse,
  JobServiceService,
} from '../../src/gen/pandafuzz/v1/job_service.js';
import { submitJobs } from '../../src/operator/submit.js';
import { temporaryFolder } from '../harness.js';
import { away, connectTo } from './wire.js';

type Failure = { code?: number; details?: string };

/** A master that keeps what it was sent, and fails its first creations with these. */
async function receivingMaster(failures: Failure[] = []) {
  const uploads: { header: ArtifactHeader; bytes: Buffer }[] = [];
  const created: CreateJobRequest[] = [];
  const connection = await connectTo(
    [
      ArtifactServiceService,
      {
        async uploadArtifact(
          call: ServerReadableStream<UploadArtifactRequest, UploadArtifactResponse>,
          answer: sendUnaryData<UploadArtifactResponse>,
        ) {
          const chunks: Uint8Array[] = [];
          let header: ArtifactHeader | undefined;
          for await (const { message } of call as AsyncIterable<UploadArtifactRequest>) {
            if (message?.$case === 'header') header = message.value;
            if (message?.$case === 'chunk') chunks.push(message.value);
          }
          if (!header) return answer({ code: status.INVALID_ARGUMENT });
          uploads.push({ header, bytes: Buffer.concat(chunks) });
          answer(null, { artifact: Artifact.create(header), alreadyExisted: false });
        },
      },
    ],
    [
      JobServiceService,
      {
        createJob(
          { request }: ServerUnaryCall<CreateJobRequest, CreateJobResponse>,
          answer: sendUnaryData<CreateJobResponse>,
        ) {
          created.push(request);
          const failure = failures.shift();
          if (failure) return answer(failure);
          answer(null, { job: Job.create({ id: request.requestId, spec: request.spec }) });
        },
      },
    ],
  );
  return { connection, uploads, created };
}

function executable(bytes: Buffer): string {
  const path = join(temporaryFolder(), 'fuzzer');
  writeFileSync(path, bytes);
  chmodSync(path, 0o755);
  return path;
}

const submission = (targetPath: string) => ({ targetPath, count: 1, spec: { engine: 'e' } });

test('target and seeds arrive byte for byte under their SHA-256, and the job names both', async () => {
  const { connection, uploads, created } = await receivingMaster();
  const target = randomBytes(700_001);
  const seedsPath = join(temporaryFolder(), 'corpus');
  mkdirSync(seedsPath);
  writeFileSync(join(seedsPath, 'a'), 'a');
  await submitJobs(connection, { ...submission(executable(target)), seedsPath });

  const [seeds, binary] = uploads;
  expect(binary?.bytes.equals(target)).toBe(true);
  expect(binary?.header).toMatchObject({ kind: ArtifactKind.TARGET, name: 'fuzzer' });
  expect(seeds?.header).toMatchObject({ kind: ArtifactKind.SEEDS, name: 'corpus.tar.gz' });
  for (const { header, bytes } of uploads) {
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(header.sha256);
    expect(bytes.length).toBe(header.sizeBytes);
  }
  expect(created[0]?.spec).toMatchObject({
    targetSha256: binary?.header.sha256,
    seedsSha256: seeds?.header.sha256,
  });
});

test('a job asked for while the master is away is asked for again under the same request_id', async () => {
  const { connection, created } = await receivingMaster([away, away]);
  const jobs = await submitJobs(connection, submission(executable(Buffer.from('x'))));
  expect(created).toHaveLength(3);
  expect(new Set(created.map((request) => request.requestId)).size).toBe(1);
  expect(jobs).toHaveLength(1);
});

test('a job that is refused is not asked for again', async () => {
  const refusal = { code: status.INVALID_ARGUMENT, details: 'no' };
  const { connection, created } = await receivingMaster([refusal]);
  const submitted = submitJobs(connection, submission(executable(Buffer.from('x'))));
  await expect(submitted).rejects.toMatchObject(refusal);
  expect(created).toHaveLength(1);
});

test('several jobs have a request_id each', async () => {
  const { connection, created } = await receivingMaster();
  await submitJobs(connection, { ...submission(executable(Buffer.from('x'))), count: 3 });
  expect(new Set(created.map((request) => request.requestId)).size).toBe(3);
});

test('nothing is sent for a target that cannot be run', async () => {
  const { connection, uploads, created } = await receivingMaster();
  const path = executable(Buffer.from('x'));
  chmodSync(path, 0o644);
  await expect(submitJobs(connection, submission(path))).rejects.toThrow('is not executable');
  expect([...uploads, ...created]).toEqual([]);
});

test('a submission that is interrupted ends, whatever it waits for', async () => {
  const { connection } = await receivingMaster(Array.from({ length: 20 }, () => away));
  const stop = new AbortController();
  const submitted = submitJobs(connection, submission(executable(Buffer.from('x'))), {
    signal: stop.signal,
  });
  stop.abort(new Error('interrupted'));
  await expect(submitted).rejects.toThrow(/interrupted|CANCELLED/);
});
