import type { Operation } from '../operation.js';
import { acknowledgeDrain } from './acknowledge-drain.js';
import { acknowledgeLease } from './acknowledge-lease.js';
import { acknowledgeStop } from './acknowledge-stop.js';
import { addCorpus } from './add-corpus.js';
import { addSamples } from './add-samples.js';
import { claimJob } from './claim-job.js';
import { completeJob } from './complete-job.js';
import { createJob } from './create-job.js';
import { drainBot } from './drain-bot.js';
import { flushBeats } from './flush-beats.js';
import { forgetBot } from './forget-bot.js';
import { getArtifact } from './get-artifact.js';
import { getBot } from './get-bot.js';
import { getCorpus } from './get-corpus.js';
import { getCrash } from './get-crash.js';
import { getJob } from './get-job.js';
import { listAhead } from './list-ahead.js';
import { listBots } from './list-bots.js';
import { listCampaigns } from './list-campaigns.js';
import { listCorpus } from './list-corpus.js';
import { listCrashGroups } from './list-crash-groups.js';
import { listCrashes } from './list-crashes.js';
import { listDue } from './list-due.js';
import { listEvents } from './list-events.js';
import { listJobs } from './list-jobs.js';
import { listLeases } from './list-leases.js';
import { listQueues } from './list-queues.js';
import { markAlive } from './mark-alive.js';
import { markDrained } from './mark-drained.js';
import { pauseJob } from './pause-job.js';
import { pruneEvents } from './prune-events.js';
import { pruneJobs } from './prune-jobs.js';
import { pruneSamples } from './prune-samples.js';
import { putArtifact } from './put-artifact.js';
import { readCounters } from './read-counters.js';
import { readyJobs } from './ready-jobs.js';
import { recordCrash } from './record-crash.js';
import { registerBot } from './register-bot.js';
import { releaseLease } from './release-lease.js';
import { requestCancel } from './request-cancel.js';
import { resumeJob } from './resume-job.js';
import { retryJob } from './retry-job.js';
import { setCampaign } from './set-campaign.js';
import { showJob } from './show-job.js';
import { timeOutJob } from './time-out-job.js';

/** Everything the store can do; the threads look operations up here by name. */
export const operations = [
  acknowledgeDrain,
  acknowledgeLease,
  acknowledgeStop,
  addCorpus,
  addSamples,
  claimJob,
  completeJob,
  createJob,
  drainBot,
  flushBeats,
  forgetBot,
  getArtifact,
  getBot,
  getCorpus,
  getCrash,
  getJob,
  listAhead,
  listBots,
  listCampaigns,
  listCorpus,
  listCrashGroups,
  listCrashes,
  listDue,
  listEvents,
  listJobs,
  listLeases,
  listQueues,
  markAlive,
  markDrained,
  pauseJob,
  pruneEvents,
  pruneJobs,
  pruneSamples,
  putArtifact,
  readCounters,
  readyJobs,
  recordCrash,
  registerBot,
  releaseLease,
  requestCancel,
  resumeJob,
  retryJob,
  setCampaign,
  showJob,
  timeOutJob,
] as readonly Operation<never, unknown>[];
