import type { Role } from '../core/principal.js';

/** Who may call a method. `anyone`: without a token, too. */
export type Allowed = readonly Role[] | 'anyone';

const admins: Allowed = ['admin'];
const operators: Allowed = ['operator', 'admin'];
const viewers: Allowed = ['viewer', 'operator', 'admin'];
/** A bot is named by these calls: they are its own only, and no admin's. */
const bots: Allowed = ['bot'];
const viewersAndBots: Allowed = ['viewer', 'operator', 'admin', 'bot'];
const everyRole: Allowed = ['viewer', 'operator', 'admin', 'bot', 'enrol'];

const rows: Record<string, Record<string, Allowed>> = {
  'pandafuzz.v1.ArtifactService': {
    UploadArtifact: operators,
    GetUpload: operators,
    DownloadArtifact: viewersAndBots,
  },
  'pandafuzz.v1.BotService': {
    RegisterBot: bots,
    Heartbeat: bots,
    GetBot: viewers,
    ListBots: viewers,
    ExplainBot: viewers,
    ReadBotLog: viewers,
    DrainBot: operators,
    ResumeBot: operators,
    DeleteBot: operators,
  },
  'pandafuzz.v1.CampaignService': {
    GetCampaign: viewers,
    ListCampaigns: viewers,
    ExplainCampaign: viewers,
    ListCampaignHistory: viewers,
    CreateCampaign: operators,
    UpdateCampaign: operators,
    PauseCampaign: operators,
    ResumeCampaign: operators,
    ArchiveCampaign: operators,
  },
  'pandafuzz.v1.CorpusService': {
    PushCorpus: bots,
    PullCorpus: viewersAndBots,
    PutInputsAside: bots,
    KeepMergedInputs: bots,
    FinishMerge: bots,
    GetCorpusStats: viewers,
    ListCorpora: viewers,
    GetCorpus: viewers,
    ListCorpusEntries: viewers,
    ListInputsPutAside: viewers,
    ImportCorpus: operators,
    RemoveCorpusEntries: operators,
    ResetCorpus: operators,
    MergeCorpus: operators,
  },
  'pandafuzz.v1.CoverageService': {
    AddCoverageFiles: bots,
    FinishCoverage: bots,
    GetCoverage: viewers,
    GetCoverageFile: viewers,
    ListCoverage: viewers,
    RegisterCoverageBuild: operators,
    MeasureCoverage: operators,
  },
  'pandafuzz.v1.CrashService': {
    ReportCrash: bots,
    ReportCrashHits: bots,
    ReportReproduction: bots,
    GetCrash: viewers,
    ListCrashes: viewers,
    GetCrashGroup: viewers,
    ListCrashGroups: viewers,
    ListCrashDecisions: viewers,
    DownloadCrashInput: viewersAndBots,
    SetCrashGroupStatus: operators,
    MergeCrashGroups: operators,
    SplitCrashGroup: operators,
    UndoCrashDecision: operators,
    RegroupCrashes: operators,
    ReproduceCrash: operators,
    MinimiseCrash: operators,
    VerifyBuild: operators,
  },
  'pandafuzz.v1.IdentityService': {
    CreateToken: admins,
    ListTokens: admins,
    RevokeToken: admins,
    ListAuditEntries: admins,
    EnrolBot: ['enrol'],
    // Whoever signs in has no token yet.
    BeginSignIn: 'anyone',
    FinishSignIn: 'anyone',
    SignOut: viewers,
    GetCaller: everyRole,
  },
  'pandafuzz.v1.JobService': {
    AssignJob: bots,
    CompleteJob: bots,
    GetJob: viewers,
    ListJobs: viewers,
    ListCampaigns: viewers,
    WatchJobs: viewers,
    ExplainJob: viewers,
    ReadJobLog: viewers,
    CreateJob: operators,
    CancelJob: operators,
    RetryJob: operators,
    PauseJob: operators,
    ResumeJob: operators,
    SetCampaign: operators,
  },
  'pandafuzz.v1.SecretService': {
    ListSecrets: viewers,
    SetSecret: operators,
    DeleteSecret: operators,
  },
  'pandafuzz.v1.StatisticsService': {
    GetSeries: viewers,
    GetProgress: viewers,
    ListProblems: viewers,
  },
  'pandafuzz.v1.SystemService': {
    GetSystemStats: viewers,
    FindIds: viewers,
    ListNotificationDestinations: viewers,
    TestNotification: operators,
    BackupDatabase: admins,
    HoldBlobs: admins,
    DownloadBlobFile: admins,
  },
  'pandafuzz.v1.TargetService': {
    GetTarget: viewers,
    ListTargets: viewers,
    RegisterBuild: operators,
  },
  'grpc.health.v1.Health': {
    Check: 'anyone',
    'Check of one service': viewersAndBots,
    List: viewersAndBots,
    Watch: viewersAndBots,
  },
  'grpc.reflection.v1.ServerReflection': { ServerReflectionInfo: viewers },
  'grpc.reflection.v1alpha.ServerReflection': { ServerReflectionInfo: viewers },
  HTTP: {
    '/healthz': 'anyone',
    '/readyz': 'anyone',
    '/metrics': viewers,
    // A session of the page, by a token of a person.
    '/session': viewers,
  },
};

/**
 * Who may call what, by "/package.Service/Method", and by "HTTP/path". What is not in this
 * table nobody may call while authentication is on.
 */
export const permissions: ReadonlyMap<string, Allowed> = new Map(
  Object.entries(rows).flatMap(([service, methods]) =>
    Object.entries(methods).map(([method, allowed]) => [
      service === 'HTTP' ? `HTTP${method}` : `/${service}/${method}`,
      allowed,
    ]),
  ),
);

/** Methods of the contract that a role may not call, by name, with the roles that may. */
export function deniedTo(role: Role | undefined): { method: string; roles: readonly Role[] }[] {
  if (role === undefined) return [];
  return [...permissions].flatMap(([path, allowed]) => {
    const isOurs = path.startsWith('/pandafuzz.');
    if (!isOurs || allowed === 'anyone' || allowed.includes(role)) return [];
    return [{ method: path.slice(1), roles: allowed }];
  });
}
