import type { MasterConfig } from '../config/schema.js';
import type { Clock } from '../core/clock.js';
import { backgroundRunner, type RequestContext } from '../core/context.js';
import type { Logger } from '../core/log.js';
import type { SecretKey } from '../core/secret-box.js';
import type { Metrics } from '../metrics.js';
import type { NewRun } from '../store/ops/campaigns/make-run.js';
import type { Store } from '../store/store.js';
import { Audit } from './access/audit.js';
import { Identity } from './access/identity.js';
import { Own } from './access/own.js';
import { PageSessions } from './access/page-sessions.js';
import { Projects } from './access/projects.js';
import { Secrets } from './access/secrets.js';
import { SignIns } from './access/sign-ins.js';
import { Tokens } from './access/tokens.js';
import { Avoids } from './bots/avoids.js';
import { Blame } from './bots/blame.js';
import { Bots } from './bots/bots.js';
import { Drains } from './bots/drains.js';
import { Holds } from './bots/holds.js';
import { Presence } from './bots/presence.js';
import { Sessions } from './bots/sessions.js';
import { Campaigns } from './campaigns/campaigns.js';
import { FuzzingCampaigns } from './campaigns/fuzzing.js';
import { CampaignKeeper } from './campaigns/keeper.js';
import { CampaignObstacles } from './campaigns/obstacles.js';
import { CampaignSupply } from './campaigns/supply.js';
import { Peers } from './cluster/peers.js';
import { Artifacts } from './corpus/artifacts.js';
import { corpusParts } from './corpus-parts.js';
import { Crashes } from './crashes/crashes.js';
import { CrashDecisions } from './crashes/decisions.js';
import { FrameLists } from './crashes/frame-lists.js';
import { CrashGroups } from './crashes/groups.js';
import { CrashPolicy } from './crashes/policy.js';
import { type ReaderProgram, Readers, type ReportReader } from './crashes/reading/readers.js';
import { Regrouping } from './crashes/regrouping.js';
import { CrashWork } from './crashes/work.js';
import { WorkJobs } from './crashes/work-jobs.js';
import { Rhythm } from './heartbeat/rhythm.js';
import type { SessionParts } from './heartbeat/session.js';
import { Explain } from './jobs/explain.js';
import { Jobs } from './jobs/jobs.js';
import { Logs } from './jobs/logs.js';
import { Pull } from './jobs/pull.js';
import { Watch } from './jobs/watch.js';
import { Acknowledgements } from './leases/acknowledgements.js';
import { BeatLog, flushIntervalOf } from './leases/beat-log.js';
import { Leases, type LiveLease } from './leases/leases.js';
import { Notifications } from './notifications/notifications.js';
import { CampaignWatch } from './progress/campaign-watch.js';
import { Problems } from './progress/problems.js';
import { Progress } from './progress/progress.js';
import { Dispatch, type PlannedRunEnd } from './scheduling/dispatch.js';
import { FairShare } from './scheduling/fair-share.js';
import { Overlooked } from './scheduling/overlooked.js';
import { Reaper } from './scheduling/reaper.js';
import { Collector } from './series/collector.js';
import { Series } from './series/series.js';
import { Targets } from './targets/targets.js';
import { tellMetrics } from './tell-metrics.js';
import { BlobSweep } from './upkeep/blob-sweep.js';
import { Epochs } from './upkeep/epochs.js';
import { Retention } from './upkeep/retention.js';
import { silenceCheckOf, uploadSweepOf } from './upkeep/sweeps.js';
import { System } from './upkeep/system.js';
import { Timekeeper } from './upkeep/timekeeper.js';
import { Vitals } from './upkeep/vitals.js';

/** Puts the rules together. There are no locks: the store decides whatever must happen once. */
export type State = ReturnType<typeof createState>;

export function createState(options: {
  store: Store;
  config: Readonly<MasterConfig>;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  newId: () => string;
  version: string;
  /** Keys of secrets: the first encrypts, all open. */
  secretKeys?: readonly SecretKey[];
  /** What an operator should know of this master, for GetSystemStats. */
  warnings?: readonly string[];
  /** Reads crash reports; absent: this version's own reader, on threads. */
  reader?: ReaderProgram | ReportReader;
  /** From 0 to 1, for pauses between tries. */
  random?: () => number;
}) {
  const { store, config, clock, log, metrics, newId, reader, random = Math.random } = options;
  const { ttl, offer_timeout, heartbeat_interval } = config.leases;
  const flush_interval = flushIntervalOf(config.leases.flush_interval, store);
  const inBackground = backgroundRunner({ timeoutMs: config.timeouts.database_op, log, clock });

  const retryPause = {
    retryFirstMs: config.jobs.retry_delay,
    retryMaxMs: config.jobs.max_retry_delay,
  };

  // Late bindings: Leases and FairShare are made first, and call parts that are made after them.
  const late = {
    leaseExpired: (lease: LiveLease) => reaper.expired(lease),
    leaseEnded: (lease: LiveLease) => {
      dispatch.roomChanged(lease.campaign);
      drains.leaseEnded(lease.botId);
      campaignKeeper.leaseEnded(lease);
      collector.leaseEnded(lease);
    },
    supply: {
      plan: (campaign: string, queueIds: readonly number[]) => supply.plan(campaign, queueIds),
      settle: (run: NewRun, end: PlannedRunEnd) => supply.settle(run, end),
    },
    onRefused: (id: string, why: 'outdated' | 'missing') => campaignKeeper.refused(id, why),
    cancelJob: (ctx: RequestContext, jobId: string) => jobs.cancel(ctx, jobId),
    isAvoided: (botId: string) => avoids.has(botId),
    runningOf: (campaign: string) =>
      leases.countOfCampaign(campaign) + dispatch.claimingOf(campaign),
  };
  const service = { store, clock, log, inBackground };

  const leases = new Leases({
    clock,
    times: { ttlMs: ttl, offerTimeoutMs: offer_timeout },
    isRunning: store.cluster && (() => store.cluster?.isMember !== false),
    onExpired: late.leaseExpired,
    onEnded: late.leaseEnded,
  });
  const sessions = new Sessions();
  const fairShare = new FairShare(late.runningOf);
  const { isAvoided } = late;
  const dispatch = new Dispatch({ ...service, fairShare, isAvoided, supply: late.supply });
  const drains = new Drains({ ...service, sessions, leases });
  const reaper = new Reaper({
    ...service,
    leases,
    dispatch,
    random,
    adoptEveryMs: ttl,
    retryPause,
  });
  const overlooked = new Overlooked({ ...service, dispatch, everyMs: ttl });
  const holds = new Holds({ ...service, onChanged: (botId) => sessions.holdChanged(botId) });
  const avoids = new Avoids({ ...service, sessions, dispatch });
  const blame = new Blame({ sessions, holds, avoids, log, metrics });
  const campaigns = new Campaigns({ ...service, fairShare, dispatch, leases });
  const supply = new CampaignSupply({
    ...service,
    fairShare,
    dispatch,
    newId,
    defaults: config.jobs,
    onRefused: late.onRefused,
  });
  const campaignKeeper = new CampaignKeeper({ ...service, supply, cancel: late.cancelJob });
  const timekeeper = new Timekeeper({
    ...service,
    leases,
    sessions,
    dispatch,
    reaper,
    graceMs: ttl,
  });
  const beatLog = new BeatLog({ ...service, leases, intervalMs: flush_interval });
  const collector = new Collector({ ...service, leases, intervals: config.retention });
  const silenceCheck = silenceCheckOf(service, sessions, ttl);
  const uploadSweep = uploadSweepOf(service);
  const retention = new Retention({ ...service, sessions, ages: config.retention });
  const blobSweep = new BlobSweep({ ...service, metrics, ages: config.retention });
  const intervalMs = config.database.probe_interval;
  const crashLimits = {
    crashes: config.limits.max_crashes_per_job,
    bytes: config.limits.max_crash_bytes_per_job,
  };
  const tokens = new Tokens({
    ...service,
    newId,
    flushEveryMs: flush_interval,
    keepEndedMs: config.retention.events,
  });
  const pageSessions = new PageSessions(clock, config.auth);
  const audit = new Audit({
    ...service,
    metrics,
    keepMs: config.retention.audit,
    keep: config.limits.max_audit_entries,
  });
  const epochs = new Epochs(service);
  const vitals = new Vitals({
    ...service,
    marked: (marks) => epochs.marked(marks),
    inBackground: backgroundRunner({ timeoutMs: intervalMs, log, clock }),
    options: { intervalMs, leastFreeBytes: config.limits.min_disk_free },
  });
  const secrets = new Secrets({ ...service, keys: options.secretKeys ?? [] });
  const jobs = new Jobs({
    ...service,
    secrets,
    leases,
    dispatch,
    sessions,
    newId,
    defaults: config.jobs,
    retryPause,
    blame,
  });
  const logs = new Logs({ ...service, sessions });
  const progress = new Progress({ ...service, sessions, leases, collector });
  const { max_messages_per_second: perSecond } = config.limits;
  const sessionParts: SessionParts = {
    ...service,
    secrets,
    leases,
    dispatch,
    sessions,
    reaper,
    beatLog,
    jobs,
    holds,
    blame,
    logs,
    acknowledgements: new Acknowledgements(store, clock, log, inBackground),
    rhythm: new Rhythm(clock, heartbeat_interval),
    messageRate: { atOnce: 10 * perSecond, perSecond },
    intervals: { heartbeatMs: heartbeat_interval, ttlMs: ttl, helloMs: config.timeouts.request },
  };
  const isReader = reader && 'read' in reader;
  const readers = isReader ? reader : new Readers({ log, ...(reader && { program: reader }) });
  const frameLists = new FrameLists(config.crashes.passed_over);
  const regrouping = new Regrouping({ ...service, newId, readers, frameLists });
  const evidence = { ...service, newId, readers, regrouping, frameLists };
  const workJobs = new WorkJobs({ ...service, newId, sessions, dispatch, defaults: config.jobs });
  const working = { ...service, jobs: workJobs, settings: config.crashes };
  const crashPolicy = new CrashPolicy(working);
  const ofCorpora = corpusParts({ ...service, config, newId, dispatch, leases, metrics });
  const { corpusUpkeep, coverageUpkeep } = ofCorpora;
  const { notifications: settings } = config;
  const notifications = new Notifications({ ...service, ...options, settings });
  const lostAfterMs = settings.bot_lost_after;
  const presence = new Presence({ ...service, sessions, lostAfterMs });
  const obstacles = new CampaignObstacles({ sessions, fairShare, clock });
  const campaignWatch = new CampaignWatch({
    ...{ ...service, sessions, leases, collector, obstacles, supply },
    stuckAfterMs: settings.stuck_after,
  });
  const peers = new Peers({
    ...{ ...service, leases, sessions, reaper, dispatch, jobs, blame, presence, campaigns },
    ...{ supply, tokens, secrets },
  });
  tellMetrics(metrics, { ...service, sessions, holds, leases, collector });

  return {
    bots: new Bots({
      ...{ ...service, leases, sessions, beatLog, holds, blame, newId },
      maxBots: config.limits.max_bots,
    }),
    jobs,
    pull: new Pull({ ...service, leases, dispatch, reaper, holds, secrets, defaultTtlMs: ttl }),
    crashes: new Crashes({
      ...evidence,
      foundGroup: (found) => collector.foundGroup(found),
      maxInputBytes: config.limits.max_crash_input,
      limits: crashLimits,
    }),
    crashGroups: new CrashGroups(store, clock),
    crashDecisions: new CrashDecisions(evidence),
    crashWork: new CrashWork({ ...evidence, ...working }),
    crashPolicy,
    regrouping,
    ...ofCorpora,
    artifacts: new Artifacts(store, clock, config.limits),
    targets: new Targets(store, clock, config.jobs.engines),
    system: new System(
      { ...service, leases, sessions },
      {
        version: options.version,
        startedAt: new Date(clock.now()),
        warnings: [...(options.warnings ?? [])],
      },
    ),
    campaigns,
    fuzzingCampaigns: new FuzzingCampaigns({
      ...service,
      supply,
      leases,
      obstacles,
      newId,
      defaults: config.jobs,
      most: config.limits.max_campaigns,
      secrets,
    }),
    series: new Series({ ...service, collector }),
    progress,
    problems: new Problems({
      ...{ ...service, sessions, holds, progress, vitals, presence },
      failing: () => notifications.failing(),
    }),
    watch: new Watch(store, leases, clock),
    logs,
    explain: new Explain({ ...service, sessions, leases, fairShare, holds, avoids }),
    blobs: store.blobs,
    tokens,
    pageSessions,
    audit,
    identity: new Identity(tokens, () => clock.now()),
    signIns: new SignIns(config.oidc, { tokens, clock, log, newId }),
    own: new Own(store, leases),
    projects: new Projects(store),
    secrets,
    sessionParts,
    vitals,
    notifications,

    /** Loads campaigns and leases of an earlier process, then starts the clocks. */
    async start(): Promise<void> {
      // First: what others change while this one reads, it is told.
      peers.start();
      await epochs.open();
      await tokens.start();
      await secrets.start();
      await vitals.start();
      await holds.restore();
      await avoids.restore();
      await campaigns.restore();
      await campaignKeeper.restore();
      await reaper.restore();
      await presence.restore();
      await notifications.start();
      await collector.sums.restore();
      leases.start();
      reaper.start();
      overlooked.start();
      avoids.start();
      silenceCheck.start();
      uploadSweep.start();
      beatLog.start();
      collector.start();
      timekeeper.start();
      retention.start();
      blobSweep.start();
      audit.start();
      regrouping.start();
      crashPolicy.start();
      corpusUpkeep.start();
      coverageUpkeep.start();
      campaignKeeper.start();
      presence.start();
      campaignWatch.start();
    },

    /** Stops assigning jobs, and writes heartbeat data to disk. */
    async stop(): Promise<void> {
      dispatch.stop();
      await peers.stop();
      leases.stop();
      const upkeep = [
        vitals,
        overlooked,
        collector,
        silenceCheck,
        uploadSweep,
        retention,
        blobSweep,
        timekeeper,
        crashPolicy,
        corpusUpkeep,
        coverageUpkeep,
        campaignKeeper,
        presence,
        campaignWatch,
      ];
      await Promise.all(upkeep.map((one) => one.stop()));
      await Promise.all([readers.close(), regrouping.stop(), notifications.stop()]);
      await Promise.all([avoids.stop(), holds.stop(), reaper.stop(), tokens.stop()]);
      pageSessions.stop();
      await drains.stop();
      await Promise.all([beatLog.stop(), audit.stop()]);
    },
  };
}
