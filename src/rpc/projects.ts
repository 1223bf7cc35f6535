import { GetBotResponse, ListBotsResponse } from '../gen/pandafuzz/v1/bot_service.js';
import type { CampaignSpec } from '../gen/pandafuzz/v1/campaign_service.js';
import type { CorpusKey, ImportCorpusRequest } from '../gen/pandafuzz/v1/corpus_service.js';
import type { ExplainJobResponse } from '../gen/pandafuzz/v1/job_service.js';
import { type GetSeriesRequest, SeriesSubject } from '../gen/pandafuzz/v1/statistics_service.js';
import type { Scope } from '../state/access/projects.js';

/**
 * What a caller who is bound to projects gets of a method.
 *
 * every project: nothing; it takes a token over all projects.
 * no project: the same as everybody; it is about the fleet, or about the caller.
 * by the rules: those look at the caller's projects themselves.
 * check: what the request names has to be of its projects.
 * pages: a list, read project by project where the request names none.
 */
export type ProjectRule = 'every project' | 'no project' | 'by the rules' | Checked;

export interface Checked {
  /** Returns the request as it is to be, if not as it is. Of a stream, each message is checked. */
  readonly check?: Check<never> | undefined;
  /** The answer without what other projects are mentioned by. */
  readonly answer?: ((response: never) => object) | undefined;
  readonly isPages?: boolean;
}

type Check<Request> = (scope: Scope, request: Request) => Promise<unknown> | unknown;

const check = <Request>(of: Check<Request>): Checked => ({ check: of });
const answer = <Response>(of: (response: Response) => object): Checked => ({ answer: of });
const pages: Checked = { isPages: true };

const job = check<{ jobId: string }>((scope, { jobId }) => scope.id('job', jobId));
const project = check<{ project: string }>((scope, request) => scope.named(request.project));
const crash = check<{ crashId: string }>((scope, { crashId }) => scope.id('crash', crashId));
const group = check<{ groupId: string }>((scope, { groupId }) => scope.id('crash group', groupId));
const crashOrGroup = check<{ id: string }>((scope, { id }) =>
  scope.id(['crash', 'crash group'], id),
);
const corpus = check<{ corpus?: CorpusKey | undefined }>((scope, request) =>
  scope.named(request.corpus?.project ?? ''),
);
const campaign = check<{ project: string; campaign: string }>(async (scope, request) => {
  if (request.project !== '') return scope.named(request.project);
  return { ...request, project: await scope.projectOfCampaign(request.campaign) };
});

/** A list, whose request may name something of a project instead. */
const pagesUnless = <Request>(of: Check<Request>): Checked => ({ check: of, isPages: true });

/** Ids of groups that one call may name are fewer: the rules refuse more. */
const mostGroups = 1000;

const series = check<GetSeriesRequest>((scope, { subject, name, project: named }) => {
  switch (subject) {
    case SeriesSubject.PROJECT:
      return scope.named(name);
    case SeriesSubject.TARGET:
      return scope.named(named);
    case SeriesSubject.CAMPAIGN:
      return scope.key(name);
    case SeriesSubject.JOB:
      return scope.id('job', name);
    default:
      return undefined; // of the fleet, or of a bot
  }
});

const rows: Record<string, Record<string, ProjectRule>> = {
  'pandafuzz.v1.ArtifactService': {
    // Who has the content may name it: its hash says nothing that he does not know.
    UploadArtifact: 'no project',
    GetUpload: 'no project',
    DownloadArtifact: check<{ sha256: string }>((scope, { sha256 }) => scope.artifact(sha256)),
  },
  'pandafuzz.v1.BotService': {
    // Reasons of failed starts are words about targets of any project.
    GetBot: answer<GetBotResponse>(({ bot }) =>
      GetBotResponse.create({ bot: bot && { ...bot, heldWhy: '' } }),
    ),
    ListBots: answer<ListBotsResponse>(({ bots, nextPageToken }) =>
      ListBotsResponse.create({
        bots: bots.map((bot) => ({ ...bot, heldWhy: '' })),
        nextPageToken,
      }),
    ),
    ExplainBot: 'every project',
    ReadBotLog: 'every project',
    DrainBot: 'every project',
    ResumeBot: 'every project',
    DeleteBot: 'every project',
  },
  'pandafuzz.v1.CampaignService': {
    GetCampaign: campaign,
    ListCampaigns: pages,
    ExplainCampaign: campaign,
    ListCampaignHistory: campaign,
    CreateCampaign: check<{ spec?: CampaignSpec | undefined }>((scope, { spec }) =>
      scope.named(spec?.project ?? ''),
    ),
    UpdateCampaign: campaign,
    PauseCampaign: campaign,
    ResumeCampaign: campaign,
    ArchiveCampaign: campaign,
  },
  'pandafuzz.v1.CorpusService': {
    PullCorpus: project,
    GetCorpusStats: project,
    ListCorpora: pages,
    GetCorpus: corpus,
    ListCorpusEntries: corpus,
    ListInputsPutAside: corpus,
    // Its first message has the corpus, the others entries and bytes.
    ImportCorpus: check<ImportCorpusRequest>(
      (scope, { message }) => message?.$case === 'corpus' && scope.named(message.value.project),
    ),
    RemoveCorpusEntries: corpus,
    ResetCorpus: corpus,
    MergeCorpus: corpus,
  },
  'pandafuzz.v1.CoverageService': {
    GetCoverage: project,
    GetCoverageFile: project,
    ListCoverage: pages,
    RegisterCoverageBuild: project,
    MeasureCoverage: project,
  },
  'pandafuzz.v1.CrashService': {
    GetCrash: crash,
    ListCrashes: pagesUnless<{ groupId: string; jobId: string }>(async (scope, request) => {
      await scope.id('crash group', request.groupId);
      await scope.id('job', request.jobId);
      return request.groupId !== '' || request.jobId !== '';
    }),
    GetCrashGroup: group,
    ListCrashGroups: pages,
    ListCrashDecisions: pagesUnless<{ groupId: string }>(async (scope, { groupId }) => {
      await scope.id('crash group', groupId);
      return groupId !== '';
    }),
    DownloadCrashInput: crash,
    SetCrashGroupStatus: group,
    MergeCrashGroups: check<{ groupIds: string[]; intoGroupId: string }>(
      async (scope, { groupIds, intoGroupId }) => {
        const ids = [intoGroupId, ...groupIds.slice(0, mostGroups)];
        for (const id of ids) await scope.id('crash group', id);
      },
    ),
    SplitCrashGroup: group,
    UndoCrashDecision: check<{ decisionId: string }>((scope, { decisionId }) =>
      scope.id('decision', decisionId),
    ),
    RegroupCrashes: 'every project',
    ReproduceCrash: crashOrGroup,
    MinimiseCrash: crashOrGroup,
    VerifyBuild: project,
  },
  'pandafuzz.v1.IdentityService': { GetCaller: 'no project', SignOut: 'no project' },
  'pandafuzz.v1.JobService': {
    GetJob: job,
    ListJobs: pages,
    ListCampaigns: pages,
    WatchJobs: job,
    // Jobs that go first may be of other projects.
    ExplainJob: {
      ...job,
      ...answer<ExplainJobResponse>((response) => ({ ...response, ahead: [] })),
    },
    ReadJobLog: job,
    CreateJob: check<{ spec?: { project: string; campaign: string } | undefined }>(
      (scope, { spec }) => {
        scope.named(spec?.project ?? '');
        if (spec?.campaign.includes('/')) scope.key(spec.campaign);
      },
    ),
    CancelJob: job,
    RetryJob: job,
    PauseJob: job,
    ResumeJob: job,
    SetCampaign: check<{ key: string }>((scope, { key }) => scope.key(key)),
  },
  'pandafuzz.v1.SecretService': {
    ListSecrets: pages,
    SetSecret: project,
    DeleteSecret: project,
  },
  'pandafuzz.v1.StatisticsService': {
    GetSeries: series,
    GetProgress: pages,
    ListProblems: 'by the rules',
  },
  'pandafuzz.v1.SystemService': {
    GetSystemStats: 'no project',
    FindIds: 'by the rules',
    ListNotificationDestinations: 'every project',
    TestNotification: 'every project',
  },
  'pandafuzz.v1.TargetService': {
    GetTarget: project,
    ListTargets: pages,
    RegisterBuild: project,
  },
  'grpc.health.v1.Health': {
    'Check of one service': 'no project',
    List: 'no project',
    Watch: 'no project',
  },
  'grpc.reflection.v1.ServerReflection': { ServerReflectionInfo: 'no project' },
  'grpc.reflection.v1alpha.ServerReflection': { ServerReflectionInfo: 'no project' },
  HTTP: { '/metrics': 'every project', '/session': 'no project' },
};

/**
 * By the keys of `permissions`. What is not in this table, no caller who is bound to
 * projects may call.
 */
export const projectRules: ReadonlyMap<string, ProjectRule> = new Map(
  Object.entries(rows).flatMap(([service, methods]) =>
    Object.entries(methods).map(([method, rule]) => [
      service === 'HTTP' ? `HTTP${method}` : `/${service}/${method}`,
      rule,
    ]),
  ),
);
