import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { reportCrash } from '../../src/client/transfer.js';
import { newId } from '../../src/core/ids.js';
import { ArtifactKind } from '../../src/gen/pandafuzz/v1/artifact.js';
import * as artifacts from '../../src/gen/pandafuzz/v1/artifact_service.js';
import * as bots from '../../src/gen/pandafuzz/v1/bot_service.js';
import * as campaigns from '../../src/gen/pandafuzz/v1/campaign_service.js';
import * as corpora from '../../src/gen/pandafuzz/v1/corpus_service.js';
import * as coverage from '../../src/gen/pandafuzz/v1/coverage_service.js';
import * as crashes from '../../src/gen/pandafuzz/v1/crash_service.js';
import { HeartbeatRequest } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import * as identity from '../../src/gen/pandafuzz/v1/identity_service.js';
import { JobOutcome, JobSpec, JobStatistics } from '../../src/gen/pandafuzz/v1/job.js';
import * as jobs from '../../src/gen/pandafuzz/v1/job_service.js';
import * as secrets from '../../src/gen/pandafuzz/v1/secret_service.js';
import * as series from '../../src/gen/pandafuzz/v1/statistics_service.js';
import * as system from '../../src/gen/pandafuzz/v1/system_service.js';
import * as targets from '../../src/gen/pandafuzz/v1/target_service.js';
import { temporaryFile } from '../harness.js';
import { createJob, given, registerBot, uploadTarget } from '../steps.js';

/** What each method can be called with, so that it goes all the way to the database. */
export async function validRequests(
  connection: Connection,
): Promise<Record<string, readonly Uint8Array[]>> {
  const bot = await registerBot(connection, `bot-${newId()}`);
  const campaign = newId(); // what others try with theirs has no part in it
  const other = await registerBot(connection, `bot-${newId()}`);
  const target = await uploadTarget(connection, randomBytes(1000));
  const targetSha256 = target.sha256;
  const pending = await createJob(connection, { targetSha256, campaign, priority: -1 });
  await createJob(connection, { targetSha256, campaign });
  const pull = { botId: bot.id, waitMs: 0, leaseTtlMs: 0 };
  const { assignment } = await unary(connection.jobs, connection.jobs.assignJob, pull);
  const { lease } = given(assignment);
  const input = temporaryFile('input');
  const about = crashes.CrashReport.create({
    lease,
    inputSha256: input.sha256,
    inputSizeBytes: input.bytes.length,
    report: '==1==ERROR: AddressSanitizer: SEGV\n    #0 0x1 in f /t.c:1\n',
  });
  const { crashId, groupId } = await reportCrash(connection, about, input.path);
  const page = { pageSize: 5, pageToken: '' };
  const wanted = campaigns.CampaignSpec.create({
    name: `c-${newId()}`,
    builds: [campaigns.CampaignBuild.create({ engine: 'libfuzzer', targetSha256 })],
    runSeconds: 60,
    weight: 2,
    // No bot has it: nobody gets a run of it.
    requirements: { labels: { nobody: 'has it' }, memoryMib: 0, diskMib: 0, otherThanBotId: '' },
  });
  const own = await unary(connection.campaigns, connection.campaigns.createCampaign, {
    spec: wanted,
    requestId: '',
  });
  const named = { project: 'default', campaign: wanted.name };
  const spec = JobSpec.create({
    engine: 'libfuzzer',
    targetSha256,
    name: 'wire',
    arguments: ['-a'],
    priority: -5,
    environment: { A: 'b' },
    limits: { maxDurationSeconds: 5 },
  });
  const seeds = temporaryFile('seeds of any kind');
  const header = {
    sha256: seeds.sha256,
    sizeBytes: seeds.bytes.length,
    kind: ArtifactKind.SEEDS,
    name: 'seeds',
    offsetBytes: 0,
    uploadId: '',
  };
  const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
  const statistics = JobStatistics.create({ executions: 5, executionsPerSecond: 1.5 });
  const resources = { loadAverage: 0.5, memoryFreeBytes: 1, diskFreeBytes: 1 };
  const beat = { sequence: 1, freeSlots: 0, leases: [{ lease, phase: 2, statistics }], resources };
  const hello = { botId: bot.id, instanceId: newId(), freeSlots: 0, leases: [] };
  const corpus = { project: 'default', targetName: 'target' };
  const covered = { project: 'default', targetName: 'target' };
  const detail = gzipSync(
    coverage.CoverageDetail.encode({ steps: [1, 2], counts: [0, 5], source: 'a\nb\nc' }).finish(),
  );
  const { sha256, bytes } = input;
  const entry = corpora.CorpusEntry.create({ sha256, sizeBytes: bytes.length });
  const one = <T>(codec: { encode(message: T): { finish(): Uint8Array } }, message: T) => [
    codec.encode(message).finish(),
  ];
  return {
    'ArtifactService/UploadArtifact': [
      ...one(artifacts.UploadArtifactRequest, { message: { $case: 'header', value: header } }),
      ...one(artifacts.UploadArtifactRequest, { message: { $case: 'chunk', value: seeds.bytes } }),
    ],
    'ArtifactService/GetUpload': one(artifacts.GetUploadRequest, {
      sha256: seeds.sha256,
      uploadId: 'one',
    }),
    'ArtifactService/DownloadArtifact': one(artifacts.DownloadArtifactRequest, {
      sha256: targetSha256,
      offsetBytes: 10,
    }),
    'BotService/RegisterBot': one(bots.RegisterBotRequest, {
      name: bot.name,
      engines: ['libfuzzer'],
      slots: 2,
      labels: { a: 'b' },
      version: '1',
      memoryMib: 0,
      diskMib: 0,
      engineDetails: [],
    }),
    'BotService/Heartbeat': [
      { $case: 'hello' as const, value: hello },
      { $case: 'beat' as const, value: beat },
      { $case: 'leaseAck' as const, value: { lease } },
      { $case: 'cancelAck' as const, value: { lease } },
      {
        $case: 'leaseReject' as const,
        value: { lease: { ...given(lease), fence: 7 }, reason: 'x' },
      },
      { $case: 'jobDone' as const, value: { lease, result } },
    ].flatMap((message) => one(HeartbeatRequest, { message })),
    'BotService/GetBot': one(bots.GetBotRequest, { botId: bot.id }),
    'BotService/ReadBotLog': one(bots.ReadBotLogRequest, { botId: bot.id, offset: 0 }),
    'BotService/ListBots': one(bots.ListBotsRequest, page),
    'CampaignService/CreateCampaign': one(campaigns.CreateCampaignRequest, {
      spec: { ...wanted, name: `d-${newId()}` },
      requestId: newId(),
    }),
    'CampaignService/GetCampaign': one(campaigns.GetCampaignRequest, named),
    'CampaignService/ListCampaigns': one(campaigns.CampaignServiceListCampaignsRequest, {
      ...page,
      project: 'default',
      archived: true,
    }),
    'CampaignService/UpdateCampaign': one(campaigns.UpdateCampaignRequest, {
      ...named,
      spec: { ...given(given(own.campaign).spec), weight: 3 },
      revision: 0,
    }),
    'CampaignService/PauseCampaign': one(campaigns.PauseCampaignRequest, {
      ...named,
      stopRuns: true,
      reason: 'wire',
    }),
    'CampaignService/ResumeCampaign': one(campaigns.ResumeCampaignRequest, named),
    'CampaignService/ArchiveCampaign': one(campaigns.ArchiveCampaignRequest, {
      ...named,
      stopRuns: false,
    }),
    'CampaignService/ExplainCampaign': one(campaigns.ExplainCampaignRequest, named),
    'CampaignService/ListCampaignHistory': one(campaigns.ListCampaignHistoryRequest, {
      ...named,
      ...page,
    }),
    'CorpusService/PushCorpus': [
      { $case: 'lease' as const, value: given(lease) },
      { $case: 'entry' as const, value: entry },
      { $case: 'chunk' as const, value: input.bytes },
    ].flatMap((message) => one(corpora.PushCorpusRequest, { message })),
    'CorpusService/PullCorpus': one(corpora.PullCorpusRequest, {
      ...corpora.PullCorpusRequest.create({ targetName: 'target', revision: 1, batches: true }),
      targetSha256,
    }),
    'CorpusService/GetCorpusStats': one(corpora.GetCorpusStatsRequest, {
      targetName: 'target',
      project: 'default',
    }),
    'CorpusService/ImportCorpus': [
      { $case: 'corpus' as const, value: corpus },
      { $case: 'entry' as const, value: entry },
      { $case: 'chunk' as const, value: input.bytes },
    ].flatMap((message) => one(corpora.ImportCorpusRequest, { message })),
    'CorpusService/ListCorpora': one(corpora.ListCorporaRequest, page),
    'CorpusService/GetCorpus': one(corpora.GetCorpusRequest, { corpus }),
    'CorpusService/ListCorpusEntries': one(corpora.ListCorpusEntriesRequest, {
      corpus,
      cursor: 0,
      pageSize: 2,
    }),
    'CorpusService/RemoveCorpusEntries': one(corpora.RemoveCorpusEntriesRequest, {
      corpus,
      sha256s: [input.sha256.slice(0, 9)],
    }),
    'CorpusService/ResetCorpus': one(corpora.ResetCorpusRequest, { corpus }),
    'CorpusService/PutInputsAside': one(corpora.PutInputsAsideRequest, {
      lease,
      inputs: [corpora.InputPutAside.create({ sha256: input.sha256, reason: 1 })],
    }),
    'CorpusService/ListInputsPutAside': one(corpora.ListInputsPutAsideRequest, {
      corpus,
      targetSha256,
      cursor: 0,
      pageSize: 2,
    }),
    'CoverageService/RegisterCoverageBuild': one(coverage.RegisterCoverageBuildRequest, {
      ...covered,
      build: coverage.CoverageBuild.create({ targetSha256 }),
    }),
    'CoverageService/MeasureCoverage': one(coverage.MeasureCoverageRequest, covered),
    'CoverageService/GetCoverage': one(coverage.GetCoverageRequest, { ...covered, reportId: 1 }),
    'CoverageService/GetCoverageFile': one(coverage.GetCoverageFileRequest, {
      ...covered,
      reportId: 1,
      path: '/src/target.c',
      fromLine: 1,
    }),
    'CoverageService/ListCoverage': one(coverage.ListCoverageRequest, { ...page, project: '' }),
    'CoverageService/AddCoverageFiles': one(coverage.AddCoverageFilesRequest, {
      lease,
      files: [coverage.CoverageFileUpload.create({ path: '/src/target.c', detail })],
    }),
    'CoverageService/FinishCoverage': one(coverage.FinishCoverageRequest, {
      lease,
      inputs: 1,
      failedInputs: 0,
      tools: 'LLVM',
      note: '',
      revision: 1,
      cursor: 1,
    }),
    'CorpusService/MergeCorpus': one(corpora.MergeCorpusRequest, { corpus }),
    'CorpusService/KeepMergedInputs': one(corpora.KeepMergedInputsRequest, {
      lease,
      sha256s: [input.sha256],
    }),
    'CorpusService/FinishMerge': one(corpora.FinishMergeRequest, {
      lease,
      revision: 1,
      cursor: 1,
      before: { coverage: 1, features: 1 },
      after: { coverage: 1, features: 1 },
    }),
    'CrashService/ReportCrash': [
      ...one(crashes.ReportCrashRequest, { message: { $case: 'report', value: about } }),
      ...one(crashes.ReportCrashRequest, { message: { $case: 'chunk', value: input.bytes } }),
    ],
    'CrashService/GetCrash': one(crashes.GetCrashRequest, { crashId }),
    'CrashService/ListCrashes': one(crashes.ListCrashesRequest, { ...page, groupId, jobId: '' }),
    'CrashService/ListCrashGroups': one(crashes.ListCrashGroupsRequest, {
      ...crashes.ListCrashGroupsRequest.create(page),
    }),
    'CrashService/DownloadCrashInput': one(crashes.DownloadCrashInputRequest, {
      crashId,
      offsetBytes: 1,
    }),
    'CrashService/ReportCrashHits': one(crashes.ReportCrashHitsRequest, {
      lease,
      hits: [{ crashId, hits: 3 }],
    }),
    'CrashService/GetCrashGroup': one(crashes.GetCrashGroupRequest, { groupId }),
    'CrashService/SetCrashGroupStatus': one(crashes.SetCrashGroupStatusRequest, {
      groupId,
      status: 3,
      note: 'mended',
      by: 'wire',
      fixedInSha256: targetSha256,
    }),
    'CrashService/MergeCrashGroups': one(crashes.MergeCrashGroupsRequest, {
      groupIds: [newId()],
      intoGroupId: groupId,
      by: 'wire',
    }),
    'CrashService/SplitCrashGroup': one(crashes.SplitCrashGroupRequest, {
      groupId,
      crashIds: [crashId],
      by: 'wire',
    }),
    'CrashService/UndoCrashDecision': one(crashes.UndoCrashDecisionRequest, {
      decisionId: newId(),
      by: 'wire',
    }),
    'CrashService/ListCrashDecisions': one(crashes.ListCrashDecisionsRequest, {
      ...page,
      groupId,
    }),
    'CrashService/ReproduceCrash': one(crashes.ReproduceCrashRequest, { id: crashId, runs: 3 }),
    'CrashService/MinimiseCrash': one(crashes.MinimiseCrashRequest, { id: groupId, seconds: 5 }),
    'CrashService/VerifyBuild': one(crashes.VerifyBuildRequest, {
      targetSha256,
      project: '',
      targetName: '',
      executable: '',
    }),
    'CrashService/ReportReproduction': one(crashes.ReportReproductionRequest, {
      lease,
      crashId,
      runs: 5,
      reports: [{ report: about.report, count: 2 }],
      log: 'x',
    }),
    'CrashService/RegroupCrashes': one(crashes.RegroupCrashesRequest, { dryRun: true }),
    'IdentityService/CreateToken': one(identity.CreateTokenRequest, {
      name: 'wire',
      role: identity.Role.BOT,
      validSeconds: 60,
      pool: 'rented',
      botId: bot.id,
      projects: [],
      certificate: '',
    }),
    'IdentityService/ListTokens': one(identity.ListTokensRequest, page),
    'IdentityService/RevokeToken': one(identity.RevokeTokenRequest, { tokenId: newId() }),
    'IdentityService/EnrolBot': one(identity.EnrolBotRequest, { name: 'wire' }),
    'IdentityService/BeginSignIn': one(identity.BeginSignInRequest, {
      redirectUri: 'http://127.0.0.1:1/callback',
    }),
    'IdentityService/FinishSignIn': one(identity.FinishSignInRequest, {
      signIn: 'sealed',
      answer: 'code=a&state=b',
    }),
    'IdentityService/SignOut': one(identity.SignOutRequest, {}),
    'IdentityService/ListAuditEntries': one(identity.ListAuditEntriesRequest, page),
    'IdentityService/GetCaller': one(identity.GetCallerRequest, {}),
    'JobService/CreateJob': one(jobs.CreateJobRequest, { spec, requestId: '' }),
    'JobService/GetJob': one(jobs.GetJobRequest, { jobId: pending.id }),
    'JobService/ReadJobLog': one(jobs.ReadJobLogRequest, {
      ...{ jobId: pending.id, source: 1, offset: 0, fence: 0 },
    }),
    'JobService/ListJobs': one(jobs.ListJobsRequest, { ...page, state: 1 }),
    'JobService/CancelJob': one(jobs.CancelJobRequest, { jobId: pending.id }),
    'JobService/AssignJob': one(jobs.AssignJobRequest, { ...pull, waitMs: 50 }),
    'JobService/CompleteJob': one(jobs.CompleteJobRequest, { lease, result }),
    'JobService/RetryJob': one(jobs.RetryJobRequest, { jobId: pending.id }),
    'JobService/PauseJob': one(jobs.PauseJobRequest, { jobId: pending.id }),
    'JobService/ResumeJob': one(jobs.ResumeJobRequest, { jobId: pending.id }),
    'JobService/SetCampaign': one(jobs.SetCampaignRequest, {
      key: 'night',
      weight: 2,
      maxParallel: 5,
    }),
    'JobService/ListCampaigns': one(jobs.ListCampaignsRequest, page),
    'JobService/WatchJobs': one(jobs.WatchJobsRequest, { cursor: 1, jobId: '' }),
    'JobService/ExplainJob': one(jobs.ExplainJobRequest, { jobId: pending.id }),
    'BotService/DrainBot': one(bots.DrainBotRequest, { botId: other.id }),
    'BotService/ResumeBot': one(bots.ResumeBotRequest, { botId: other.id }),
    'BotService/DeleteBot': one(bots.DeleteBotRequest, { botId: other.id }),
    'BotService/ExplainBot': one(bots.ExplainBotRequest, { botId: bot.id }),
    'TargetService/RegisterBuild': one(targets.RegisterBuildRequest, {
      project: '',
      targetName: 'target',
      build: {
        engine: 'libfuzzer',
        targetSha256,
        executable: '',
        seedsSha256: '',
        dictionarySha256: '',
        registeredAt: undefined,
      },
    }),
    'TargetService/GetTarget': one(targets.GetTargetRequest, { project: '', targetName: 'target' }),
    'TargetService/ListTargets': one(targets.ListTargetsRequest, { ...page, project: '' }),
    'SecretService/SetSecret': one(secrets.SetSecretRequest, {
      project: '',
      name: 'wire',
      value: Buffer.from('at least eight'),
    }),
    'SecretService/ListSecrets': one(secrets.ListSecretsRequest, { ...page, project: 'default' }),
    'SecretService/DeleteSecret': one(secrets.DeleteSecretRequest, { project: '', name: 'wire' }),
    'StatisticsService/GetSeries': one(series.GetSeriesRequest, {
      ...{ ...page, subject: 3, name: 'target', project: '', stepSeconds: 60 },
      ...{ from: new Date(1_700_000_000_000), to: new Date(1_800_000_000_000) },
    }),
    'StatisticsService/GetProgress': one(series.GetProgressRequest, {
      ...{ pageSize: 10, pageToken: '', project: '' },
    }),
    'StatisticsService/ListProblems': one(series.ListProblemsRequest, {}),
    'SystemService/GetSystemStats': one(system.GetSystemStatsRequest, {}),
    'SystemService/FindIds': one(system.FindIdsRequest, { resources: ['job'], prefix: '01' }),
    'SystemService/ListNotificationDestinations': one(
      system.ListNotificationDestinationsRequest,
      {},
    ),
    'SystemService/TestNotification': one(system.TestNotificationRequest, { name: 'none' }),
    'SystemService/BackupDatabase': one(system.BackupDatabaseRequest, {}),
    'SystemService/HoldBlobs': one(system.HoldBlobsRequest, {}),
    'SystemService/DownloadBlobFile': one(system.DownloadBlobFileRequest, {
      sha256: targetSha256,
      packId: 0,
      offsetBytes: 0,
    }),
  };
}
