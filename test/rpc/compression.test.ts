import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { GetJobRequest } from '../../src/gen/pandafuzz/v1/job_service.js';
import { runMasterFor } from '../harness.js';
import { framed, RawClient } from '../wire/raw-client.js';

describe('a message marked as compressed, of a call without grpc-encoding', () => {
  test.each(['JobService/GetJob', 'BotService/Heartbeat', 'ArtifactService/UploadArtifact'])(
    'is an error: %s',
    async (method) => {
      const { address } = await runMasterFor();
      const call = new RawClient(address).open(`/pandafuzz.v1.${method}`);
      const message = GetJobRequest.encode({ jobId: 'x' }).finish();
      call.stream.end(framed(message, true));
      expect(await call.answer).toMatchObject({ code: Code.INTERNAL });
    },
  );
});
