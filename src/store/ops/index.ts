import type { Operation } from '../operation.js';
import { appendAudit } from './audit/append-audit.js';
import { listAudit } from './audit/list-audit.js';
import { pruneAudit } from './audit/prune-audit.js';
import { readBlobPlace, setBlobPlace } from './blobs/blob-place.js';
import { findBlobs } from './blobs/find-blobs.js';
import { listBlobs } from './blobs/list-blobs.js';
import { loseBlob } from './blobs/lose-blob.js';
import { moveBlobs } from './blobs/move-blobs.js';
import {
  forgetPack,
  knownPacks,
  lastPack,
  listPacks,
  mostlyDeadPacks,
  retiredPacks,
  retirePack,
} from './blobs/packs.js';
import { deleteUnusedBlobs, listUnusedBlobs, markUnusedBlobs } from './blobs/unused-blobs.js';
import { acknowledgeDrain } from './bots/acknowledge-drain.js';
import { drainBot } from './bots/drain-bot.js';
import { enterBot, leaveBot } from './bots/enter-bot.js';
import { findRegistered } from './bots/find-registered.js';
import { forgetBot } from './bots/forget-bot.js';
import { getBot } from './bots/get-bot.js';
import { holdBot, listHeld } from './bots/hold-bot.js';
import { listBots } from './bots/list-bots.js';
import { lookAtBot } from './bots/look-at-bot.js';
import { markDrained } from './bots/mark-drained.js';
import { markBack, markLost, seenBots } from './bots/mark-lost.js';
import { forgetUnseen, pruneForgotten, unseenBots } from './bots/prune-bots.js';
import { registerBot } from './bots/register-bot.js';
import { createCampaign } from './campaigns/create-campaign.js';
import { resolveCampaign } from './campaigns/find-campaign.js';
import { listCampaignHistory } from './campaigns/history.js';
import { listCampaigns } from './campaigns/list-campaigns.js';
import { listFuzzCampaigns } from './campaigns/list-fuzz-campaigns.js';
import { loadCampaign, loadCampaigns } from './campaigns/load-campaign.js';
import { markStuck } from './campaigns/mark-stuck.js';
import { dueCampaigns, moveCampaign, postponeCampaign } from './campaigns/move-campaign.js';
import { pruneArchived } from './campaigns/prune-archived.js';
import { pruneCampaigns } from './campaigns/prune-campaigns.js';
import { setCampaign } from './campaigns/set-campaign.js';
import { lookAtRuns, settleRun } from './campaigns/settle-run.js';
import { showCampaign } from './campaigns/show-campaign.js';
import { runsStopped, runsToStop } from './campaigns/stop-runs.js';
import { updateCampaign } from './campaigns/update-campaign.js';
import { addCorpus, importCorpus } from './corpus/add-corpus.js';
import { finishMerge, keepMerged } from './corpus/finish-merge.js';
import { getArtifact } from './corpus/get-artifact.js';
import { getCorpus } from './corpus/get-corpus.js';
import { listCorpus } from './corpus/list-corpus.js';
import { listCorpusEntries } from './corpus/list-entries.js';
import { dueMerges, findMergeSource, makeMerge, postponeMerge } from './corpus/merge-jobs.js';
import { projectBytes } from './corpus/project-bytes.js';
import { pruneArtifacts } from './corpus/prune-artifacts.js';
import { putArtifact } from './corpus/put-artifact.js';
import { listPutAside, putAside } from './corpus/put-aside.js';
import { removeCorpusEntries, resetCorpus } from './corpus/remove-entries.js';
import { listCorpora, showCorpus } from './corpus/show-corpora.js';
import { hasEndedCorpora, sweepCorpora } from './corpus/sweep-corpora.js';
import {
  dueCoverage,
  findCoverageSource,
  makeCoverage,
  postponeCoverage,
} from './coverage/coverage-jobs.js';
import { addCoverageFiles, findCoverageBase, finishCoverage } from './coverage/make-report.js';
import { registerCoverage } from './coverage/register-coverage.js';
import { listCoverage, showCoverage, showCoverageFile } from './coverage/show-coverage.js';
import { hasEndedCoverage, sweepCoverage } from './coverage/sweep-coverage.js';
import { findSource } from './crashes/find-source.js';
import { getCrash } from './crashes/get-crash.js';
import { getCrashGroup } from './crashes/get-crash-group.js';
import { listCrashGroups } from './crashes/list-crash-groups.js';
import { listCrashes } from './crashes/list-crashes.js';
import { listDecisions } from './crashes/list-decisions.js';
import { makeCrashWork } from './crashes/make-crash-work.js';
import { mergeGroups } from './crashes/merge-groups.js';
import { moveCrashes } from './crashes/move-crashes.js';
import { countCrash, recordCrash } from './crashes/record-crash.js';
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
import { findJobs } from './jobs/find-jobs.js';
import { getJob } from './jobs/get-job.js';
import { getJobLog, keepJobLog } from './jobs/job-logs.js';
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
import { heldLeases } from './leases/held-leases.js';
import { listLeases } from './leases/list-leases.js';
import { releaseLease } from './leases/release-lease.js';
import { takeOver } from './leases/take-over.js';
import { keepWebhook } from './notifications/keep-webhook.js';
import { nextNotice } from './notifications/next-notice.js';
import { startWebhooks } from './notifications/start-webhooks.js';
import { newestEnds } from './progress/newest-ends.js';
import { readProgress } from './progress/read-progress.js';
import { claimJob } from './scheduling/claim-job.js';
import { dueAvoided } from './scheduling/due-avoided.js';
import { findQueues } from './scheduling/find-queues.js';
import { forgiveBot } from './scheduling/forgive-bot.js';
import { listAhead } from './scheduling/list-ahead.js';
import { listAvoided, listAvoidedBots } from './scheduling/list-avoided.js';
import { listQueues } from './scheduling/list-queues.js';
import { pruneQueues } from './scheduling/prune-queues.js';
import { settleAvoided } from './scheduling/settle-avoided.js';
import { deleteSecret, listSecrets, putSecret, resealSecret } from './secrets/secrets.js';
import { addPoints } from './series/add-points.js';
import { pruneSeries } from './series/prune-series.js';
import { readRunFigures } from './series/read-run-figures.js';
import { readSeries } from './series/read-series.js';
import { keepRunSums, loadRunSums } from './series/run-sums.js';
import { getTarget } from './targets/get-target.js';
import { listTargets } from './targets/list-targets.js';
import { registerBuild } from './targets/register-build.js';
import { attemptHolder, hasToken } from './tokens/holders.js';
import { knownToken, knownTokens, listTokens } from './tokens/list-tokens.js';
import { isArtifactOf, projectOf } from './tokens/project-of.js';
import { enrolBot, putToken } from './tokens/put-token.js';
import { revokeToken } from './tokens/revoke-token.js';
import { pruneTokens, touchTokens } from './tokens/token-upkeep.js';
import { findIds } from './upkeep/find-ids.js';
import { markAlive } from './upkeep/mark-alive.js';
import { openEpoch } from './upkeep/open-epoch.js';
import { readCounters } from './upkeep/read-counters.js';

/** Everything the store can do; the threads look operations up here by name. */
export const operations = [
  acknowledgeDrain,
  acknowledgeLease,
  acknowledgeStop,
  addCorpus,
  attemptHolder,
  addPoints,
  appendAudit,
  listAudit,
  pruneAudit,
  claimJob,
  completeJob,
  confirmCrashes,
  crashReports,
  registerBuild,
  getTarget,
  listTargets,
  createCampaign,
  resolveCampaign,
  listCampaignHistory,
  listFuzzCampaigns,
  loadCampaign,
  loadCampaigns,
  dueCampaigns,
  moveCampaign,
  postponeCampaign,
  pruneArchived,
  lookAtRuns,
  settleRun,
  showCampaign,
  runsStopped,
  runsToStop,
  updateCampaign,
  createJob,
  deleteUnusedBlobs,
  drainBot,
  dueMerges,
  dueAvoided,
  endedWork,
  enrolBot,
  enterBot,
  leaveBot,
  lookAtBot,
  takeOver,
  heldLeases,
  findBlobs,
  findBuildToVerify,
  findCrashToRun,
  findIds,
  findMergeSource,
  findRegistered,
  findSource,
  finishMerge,
  flushBeats,
  forgetBot,
  forgiveBot,
  forgetUnseen,
  forgetPack,
  getArtifact,
  getBot,
  getCorpus,
  getCrash,
  getCrashGroup,
  getJob,
  hasEndedCorpora,
  hasStaleCrashes,
  deleteSecret,
  listSecrets,
  putSecret,
  resealSecret,
  hasToken,
  isArtifactOf,
  importCorpus,
  keepMerged,
  holdBot,
  getJobLog,
  keepJobLog,
  keepWebhook,
  knownPacks,
  knownToken,
  knownTokens,
  lastPack,
  listAhead,
  listAvoided,
  listAvoidedBots,
  listBlobs,
  listBots,
  listCampaigns,
  listCorpora,
  listCorpus,
  listCorpusEntries,
  listCrashGroups,
  listCrashes,
  listDecisions,
  listDue,
  listEvents,
  listHeld,
  listJobs,
  findJobs,
  listLeases,
  listPacks,
  listPutAside,
  listTokens,
  openEpoch,
  listQueues,
  listUnusedBlobs,
  loseBlob,
  findQueues,
  pruneQueues,
  pruneCampaigns,
  makeCrashWork,
  makeMerge,
  markAlive,
  markDrained,
  markBack,
  markLost,
  markStuck,
  markUnusedBlobs,
  seenBots,
  mergeGroups,
  mostlyDeadPacks,
  moveBlobs,
  moveCrashes,
  nextNotice,
  nextTarget,
  pauseJob,
  postponeMerge,
  pruneArtifacts,
  pruneEvents,
  pruneForgotten,
  pruneJobs,
  projectBytes,
  projectOf,
  pruneTokens,
  pruneSeries,
  newestEnds,
  readProgress,
  readSeries,
  readRunFigures,
  keepRunSums,
  loadRunSums,
  putArtifact,
  putAside,
  putToken,
  readBlobPlace,
  readCounters,
  readyJobs,
  recordCrash,
  countCrash,
  registerBot,
  releaseLease,
  removeCorpusEntries,
  reportHits,
  reportReproduction,
  requestCancel,
  resetCorpus,
  resumeJob,
  retirePack,
  retiredPacks,
  retryJob,
  revokeToken,
  rewriteCrashes,
  setBlobPlace,
  setCampaign,
  setGroupStatus,
  settleAvoided,
  settleCrashWork,
  showCorpus,
  showJob,
  splitGroup,
  startWebhooks,
  sweepCorpora,
  dueCoverage,
  findCoverageSource,
  makeCoverage,
  postponeCoverage,
  addCoverageFiles,
  findCoverageBase,
  finishCoverage,
  registerCoverage,
  listCoverage,
  showCoverage,
  showCoverageFile,
  hasEndedCoverage,
  sweepCoverage,
  targetCrashes,
  targetDecisions,
  timeOutJob,
  touchTokens,
  undoDecision,
  unseenBots,
  waitingWork,
] as readonly Operation<never, unknown>[];
