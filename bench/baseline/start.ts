import { Job } from '../../src/gen/pandafuzz/v1/job.js';
import { ServerProcess } from '../processes.js';

/** `job`: as a master answers it, so that both send as much. Uploads go to `folder`. */
export function startEcho(job: Job, folder: string): Promise<ServerProcess> {
  return ServerProcess.start('./baseline/echo.js', {
    ECHO_JOB: JSON.stringify(Job.toJSON(job)),
    ECHO_FOLDER: folder,
  });
}
