import type { Operation } from '../operation.js';
import { acknowledgeLease } from './acknowledge-lease.js';
import { addSamples } from './add-samples.js';
import { claimJob } from './claim-job.js';
import { completeJob } from './complete-job.js';
import { createJob } from './create-job.js';
import { flushBeats } from './flush-beats.js';
import { getArtifact } from './get-artifact.js';
import { getBot } from './get-bot.js';
import { getCrash } from './get-crash.js';
import { getJob } from './get-job.js';
import { listBots } from './list-bots.js';
import { listCrashGroups } from './list-crash-groups.js';
import { listCrashes } from './list-crashes.js';
import { listJobs } from './list-jobs.js';
import { listLeases } from './list-leases.js';
import { markAlive } from './mark-alive.js';
import { pruneEvents } from './prune-events.js';
import { pruneJobs } from './prune-jobs.js';
import { pruneSamples } from './prune-samples.js';
import { putArtifact } from './put-artifact.js';
import { readCounters } from './read-counters.js';
import { recordCrash } from './record-crash.js';
import { registerBot } from './register-bot.js';
import { releaseLease } from './release-lease.js';
import { requestCancel } from './request-cancel.js';

/** Everything the store can do; the threads look operations up here by name. */
export const operations = [
  acknowledgeLease,
  addSamples,
  claimJob,
  completeJob,
  createJob,
  flushBeats,
  getArtifact,
  getBot,
  getCrash,
  getJob,
  listBots,
  listCrashGroups,
  listCrashes,
  listJobs,
  listLeases,
  markAlive,
  pruneEvents,
  pruneJobs,
  pruneSamples,
  putArtifact,
  readCounters,
  recordCrash,
  registerBot,
  releaseLease,
  requestCancel,
] as readonly Operation<never, unknown>[];
