import type { Operation } from '../operation.js';
import { acknowledgeDrain } from './bots/acknowledge-drain.js';
import { drainBot } from './bots/drain-bot.js';
import { forgetBot } from './bots/forget-bot.js';
import { getBot } from './bots/get-bot.js';
import { holdBot, listHeld } from './bots/hold-bot.js';
import { listBots } from './bots/list-bots.js';
import { markDrained } from './bots/mark-drained.js';
import { registerBot } from './bots/register-bot.js';
import { listCampaigns } from './campaigns/list-campaigns.js';
import { setCampaign } from './campaigns/set-campaign.js';
import { addCorpus } from './corpus/add-corpus.js';
import { getArtifact } from './corpus/get-artifact.js';
import { getCorpus } from './corpus/get-corpus.js';
import { listCorpus } from './corpus/list-corpus.js';
import { putArtifact } from './corpus/put-artifact.js';
import { findSource } from './crashes/find-source.js';
import { getCrash } from './crashes/get-crash.js';
import { getCrashGroup } from './crashes/get-crash-group.js';
import { listCrashGroups } from './crashes/list-crash-groups.js';
import { listCrashes } from './crashes/list-crashes.js';
import { listDecisions } from './crashes/list-decisions.js';
import { makeCrashWork } from './crashes/make-crash-work.js';
import { mergeGroups } from './crashes/merge-groups.js';
import { moveCrashes } from './crashes/move-crashes.js';
import { recordCrash } from './crashes/record-crash.js';
import {
  crashReports,
  hasStaleCrashes,
  nextTarget,
  targetCrashes,
  targetDecisions,
} from './crashes/regroup-reads.js';
import { reportHits } from './crashes/report-hits.js';
import { reportReproduction } from './crashes/report-reproduction.js';
import { confirmCrashes, rewriteCrashes } from './crashes/rewrite-crashes.js';
import { setGroupStatus } from './crashes/set-group-status.js';
import { endedWork, settleCrashWork } from './crashes/settle-crash-work.js';
import { splitGroup } from './crashes/split-group.js';
import { undoDecision } from './crashes/undo-decision.js';
import { waitingWork } from './crashes/waiting-work.js';
import { findBuildToVerify, findCrashToRun } from './crashes/work-sources.js';
import { listEvents } from './events/list-events.js';
import { pruneEvents } from './events/prune-events.js';
import { acknowledgeStop } from './jobs/acknowledge-stop.js';
import { completeJob } from './jobs/complete-job.js';
import { createJob } from './jobs/create-job.js';
import { getJob } from './jobs/get-job.js';
import { listDue } from './jobs/list-due.js';
import { listJobs } from './jobs/list-jobs.js';
import { pauseJob } from './jobs/pause-job.js';
import { pruneJobs } from './jobs/prune-jobs.js';
import { readyJobs } from './jobs/ready-jobs.js';
import { requestCancel } from './jobs/request-cancel.js';
import { resumeJob } from './jobs/resume-job.js';
import { retryJob } from './jobs/retry-job.js';
import { showJob } from './jobs/show-job.js';
import { timeOutJob } from './jobs/time-out-job.js';
import { acknowledgeLease } from './leases/acknowledge-lease.js';
import { flushBeats } from './leases/flush-beats.js';
import { listLeases } from './leases/list-leases.js';
import { releaseLease } from './leases/release-lease.js';
import { keepWebhook } from './notifications/keep-webhook.js';
import { nextNotice } from './notifications/next-notice.js';
import { startWebhooks } from './notifications/start-webhooks.js';
import { claimJob } from './scheduling/claim-job.js';
import { dueAvoided } from './scheduling/due-avoided.js';
import { forgiveBot } from './scheduling/forgive-bot.js';
import { listAhead } from './scheduling/list-ahead.js';
import { listAvoided, listAvoidedBots } from './scheduling/list-avoided.js';
import { listQueues } from './scheduling/list-queues.js';
import { settleAvoided } from './scheduling/settle-avoided.js';
import { addSamples } from './upkeep/add-samples.js';
import { findIds } from './upkeep/find-ids.js';
import { markAlive } from './upkeep/mark-alive.js';
import { pruneSamples } from './upkeep/prune-samples.js';
import { readCounters } from './upkeep/read-counters.js';

/** Everything the store can do; the threads look operations up here by name. */
export const operations = [
  acknowledgeDrain,
  acknowledgeLease,
  acknowledgeStop,
  addCorpus,
  addSamples,
  claimJob,
  completeJob,
  confirmCrashes,
  crashReports,
  createJob,
  drainBot,
  dueAvoided,
  endedWork,
  findBuildToVerify,
  findCrashToRun,
  findIds,
  findSource,
  flushBeats,
  forgetBot,
  forgiveBot,
  getArtifact,
  getBot,
  getCorpus,
  getCrash,
  getCrashGroup,
  getJob,
  hasStaleCrashes,
  holdBot,
  keepWebhook,
  listAhead,
  listAvoided,
  listAvoidedBots,
  listBots,
  listCampaigns,
  listCorpus,
  listCrashGroups,
  listCrashes,
  listDecisions,
  listDue,
  listEvents,
  listHeld,
  listJobs,
  listLeases,
  listQueues,
  makeCrashWork,
  markAlive,
  markDrained,
  mergeGroups,
  moveCrashes,
  nextNotice,
  nextTarget,
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
  reportHits,
  reportReproduction,
  requestCancel,
  resumeJob,
  retryJob,
  rewriteCrashes,
  setCampaign,
  setGroupStatus,
  settleAvoided,
  settleCrashWork,
  showJob,
  splitGroup,
  startWebhooks,
  targetCrashes,
  targetDecisions,
  timeOutJob,
  undoDecision,
  waitingWork,
] as readonly Operation<never, unknown>[];
