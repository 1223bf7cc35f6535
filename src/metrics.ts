import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { OverloadError, QuotaError } from './core/errors.js';
import { PairHistogram } from './core/histogram.js';
import { lostLogLines } from './core/log.js';
import type { ScrapeRead } from './metrics/at-most.js';
import { type FuzzingSources, watchFuzzing } from './metrics/fuzzing.js';
import { type MasterSources, watchMaster } from './metrics/master.js';

/**
 * Default metrics of prom-client that walk over every open handle or file: with ten
 * thousand bots each scrape blocked the event loop for 13 to 30 ms.
 */
const perHandle = [
  'process_open_fds',
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
];

/** Interval of samples of the event loop, milliseconds. */
const lookEveryMs = 50;
/** Longest delay of a timer, milliseconds. */
const never = 2 ** 31 - 1;

/** Settings that bound what callers may do; other bounds count as "other". */
const quotas = [
  ...['limits.max_connections_per_address', 'limits.max_calls_per_connection'],
  ...['limits.max_messages_per_second', 'limits.max_upload_per_day', 'limits.max_bots'],
  ...['limits.max_artifacts', 'limits.max_artifact', 'limits.max_campaigns'],
  ...['limits.max_crashes_per_job', 'corpus.max_inputs', 'corpus.max_bytes'],
  ...['corpus.max_project_bytes', 'limits.max_calls', 'limits.max_transfers'],
  ...['limits.max_waits', 'limits.max_watches', 'limits.max_streams'],
  ...['database.max_queued_writes', 'database.max_queued_reads', 'other'],
];

function quotaOf(error: unknown): string | undefined {
  if (error instanceof OverloadError) return error.fields.quota;
  if (!(error instanceof QuotaError)) return undefined;
  const { subject } = error.fields;
  return quotas.includes(subject) ? subject : 'other';
}

/** Lateness of a sample in seconds, from the nanoseconds between two samples. */
/** Requests to a blob store in S3, as its errors are counted. */
const blobRequests = [
  ...['put', 'get', 'head', 'list', 'delete'],
  ...['begin', 'part', 'complete', 'abort'],
];

const late = (nanoseconds: number) => Math.max(nanoseconds / 1e9 - lookEveryMs / 1e3, 0);

/** Figures of the event loop's lateness, under prom-client's names. */
const eventLoopLags: Record<string, (delays: ELDHistogram) => number> = {
  min: ({ min }) => late(min),
  max: ({ max }) => late(max),
  mean: ({ mean }) => late(mean),
  stddev: ({ stddev }) => stddev / 1e9,
  p50: (delays) => late(delays.percentile(50)),
  p90: (delays) => late(delays.percentile(90)),
  p99: (delays) => late(delays.percentile(99)),
};

/** Of the event that is being delivered to a destination. */
interface PendingAge {
  readonly destination: string;
  readonly kind: string;
  readonly seconds: number;
}

/**
 * All instruments. The number of series is fixed by the code, and for destinations by the settings:
 * no label has a value of a caller (an id, a name), but for those of metrics/fuzzing.ts, which
 * have a bound.
 */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const seconds = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
  ];
  const gaugeOf = (
    name: string,
    help: string,
    read: (gauge: Gauge) => void | Promise<void>,
    labelNames: string[] = [],
  ) => {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect: () => read(gauge),
    });
  };
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: never });
  for (const name of perHandle) registry.removeSingleMetric(name);
  watchEventLoop(registry);
  const failedStarts = new Counter({
    name: 'failed_starts_total',
    help: 'Runs that did not start, by whose trouble it was: bot or target.',
    labelNames: ['blame'],
    registers,
  });
  // Shown from the start: an increase from nothing is none.
  for (const blame of ['bot', 'target']) failedStarts.inc({ blame }, 0);
  const blobRequestFailures = new Counter({
    name: 'blob_request_failures_total',
    help: 'Requests to a blob store in S3 that failed, tries that were repeated included.',
    labelNames: ['operation'],
    registers,
  });
  for (const operation of blobRequests) blobRequestFailures.inc({ operation }, 0);
  const quotaRefusals = new Counter({
    name: 'pandafuzz_quota_refusals_total',
    help: 'Calls and connections that a quota has refused, by its setting.',
    labelNames: ['quota'],
    registers,
  });
  for (const quota of quotas) quotaRefusals.inc({ quota }, 0);
  const auditEntries = new Counter({
    name: 'pandafuzz_audit_entries_total',
    help: 'Entries of the audit log, by what they are about: change or refusal.',
    labelNames: ['kind'],
    registers,
  });
  for (const kind of ['change', 'refusal']) auditEntries.inc({ kind }, 0);
  return {
    registry,
    auditEntries,
    quotaRefusals,
    /** Counts a call that has failed, if a quota refused it. */
    noteQuota(error: unknown): void {
      const quota = quotaOf(error);
      if (quota !== undefined) quotaRefusals.inc({ quota });
    },
    databaseOperationSeconds: new PairHistogram({
      name: 'database_operation_duration_seconds',
      help: 'Time from the call of a store operation to its answer, with queue and retries.',
      labelNames: ['operation', 'outcome'],
      buckets: seconds,
      registry,
    }),
    databaseRetries: new Counter({
      name: 'database_retry_count',
      help: 'Operations repeated because another process held the lock of the database.',
      registers,
    }),
    databaseTimeouts: new Counter({
      name: 'database_timeout_count',
      help: 'Operations that ended because their deadline came first.',
      registers,
    }),
    concurrentReaders: new Gauge({
      name: 'concurrent_readers_gauge',
      help: 'Reader threads at work.',
      registers,
    }),
    databaseLockWaitSeconds: new Histogram({
      name: 'database_lock_wait_seconds',
      help: 'Time an operation waited for a lock that another process held.',
      buckets: seconds,
      registers,
    }),
    databaseTransactionSeconds: new Histogram({
      name: 'database_transaction_duration_seconds',
      help: 'Time from BEGIN to COMMIT of a group, on its thread.',
      labelNames: ['access'],
      buckets: seconds,
      registers,
    }),
    databaseGroupSize: new Histogram({
      name: 'database_group_size',
      help: 'Writes in one commit.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
      registers,
    }),
    checkpointSeconds: new Histogram({
      name: 'database_checkpoint_duration_seconds',
      help: 'Time of one checkpoint of the write-ahead log.',
      labelNames: ['mode'],
      buckets: seconds,
      registers,
    }),
    apiRequestSeconds: new PairHistogram({
      name: 'api_request_duration_seconds',
      help: 'Time from a call to its status, by method and status code.',
      labelNames: ['endpoint', 'code'],
      buckets: seconds,
      registry,
    }),
    logLinesLost: new Counter({
      name: 'log_lines_lost_total',
      help: 'Log lines dropped because nobody read them, or left out as a caller had too many.',
      registers,
      collect() {
        this.reset();
        this.inc(lostLogLines());
      },
    }),
    failedStarts,
    blobsSweptBytes: new Counter({
      name: 'blobs_swept_bytes_total',
      help: 'Bytes of blobs and packs removed, as nothing referred to them.',
      registers,
    }),
    blobsLost: new Counter({
      name: 'blobs_lost_total',
      help: 'Reads of blobs whose bytes were missing or damaged.',
      registers,
    }),
    blobRequestFailures,
    corpusInputsRefused: new Counter({
      name: 'corpus_inputs_refused_total',
      help: 'Inputs that a full corpus had no room for (corpus.max_inputs, corpus.max_bytes).',
      registers,
    }),
    notificationDeliveries: new Counter({
      name: 'notification_deliveries_total',
      help: 'Deliveries that ended, by destination, its kind and outcome: delivered, refused or given_up.',
      labelNames: ['destination', 'kind', 'outcome'],
      registers,
    }),
    watchNotifications(ages: () => readonly PendingAge[]): void {
      gaugeOf(
        'notification_pending_age_seconds',
        'Age of the event that is being delivered to a destination; 0 when there is none.',
        (gauge) => {
          for (const { seconds, ...labels } of ages()) gauge.set(labels, seconds);
        },
        ['destination', 'kind'],
      );
    },
    watchFuzzing: (sources: FuzzingSources) => watchFuzzing(registry, sources),
    watchMaster: (sources: MasterSources) => watchMaster(registry, sources),
    /** Gauges that are read on a scrape. */
    watchFleet(sources: {
      botsOnline: () => number;
      botsHeldBack: () => number;
      botsUnwell: () => number;
      leasesHeld: () => number;
    }): void {
      gaugeOf('bots_held_back', 'Bots that get no jobs, as their last starts failed.', (gauge) =>
        gauge.set(sources.botsHeldBack()),
      );
      gaugeOf('bots_unwell', 'Bots online that take no jobs, by their own report.', (gauge) =>
        gauge.set(sources.botsUnwell()),
      );
      gaugeOf('bots_online', 'Bots that hold a heartbeat stream.', (gauge) =>
        gauge.set(sources.botsOnline()),
      );
      gaugeOf('leases_held', 'Leases that are valid now.', (gauge) =>
        gauge.set(sources.leasesHeld()),
      );
    },
    /** Read by one query for all. A scrape shows the last values if the query fails or takes long. */
    watchCounters(refresh: ScrapeRead<Readonly<Record<string, number>>>): void {
      type Counts = (name: string) => number;
      const countGauge = (name: string, help: string, of: (counts: Counts) => number) =>
        gaugeOf(name, help, async (gauge) => {
          const counters = await refresh();
          if (counters) gauge.set(of((counter) => counters[counter] ?? 0));
        });
      const own = (name: string, help: string) => countGauge(name, help, (count) => count(name));
      own('crash_hits', 'Times a crash was met, inputs not kept included.');
      own('crash_inputs_kept', 'Inputs of crashes that are kept.');
      own('crash_groups', 'Groups of crashes.');
      countGauge(
        'blob_bytes',
        'Bytes of blobs that something refers to, or has referred to until lately.',
        (count) => count('blob_file_bytes') + count('pack_live_bytes'),
      );
      countGauge(
        'blob_dead_bytes',
        'Bytes in packs that nothing refers to; a pack that is mostly dead is compacted.',
        (count) => count('pack_bytes') - count('pack_live_bytes'),
      );
    },
    /** Calls under way, and counts of each method, read on a scrape. */
    watchCalls(sources: {
      underWay: () => (readonly [pool: string, calls: number])[];
      unsentBytes: () => number;
      methods: () => Iterable<
        [endpoint: string, { received: number; sent: number; deadlinesMissed: number }]
      >;
    }): void {
      gaugeOf(
        'api_in_flight',
        'Calls under way, by kind.',
        (gauge) => {
          for (const [pool, calls] of sources.underWay()) gauge.set({ pool }, calls);
        },
        ['pool'],
      );
      gaugeOf(
        'api_unsent_bytes',
        'Bytes of answers and downloads that peers have not taken.',
        (gauge) => gauge.set(sources.unsentBytes()),
      );
      const counterOf = (name: string, help: string, labelNames: string[], read: Read) => {
        const counter: Counter = new Counter({
          name,
          help,
          labelNames,
          registers,
          collect: () => {
            counter.reset();
            for (const [endpoint, counts] of sources.methods()) read(counter, endpoint, counts);
          },
        });
      };
      type Counts = { received: number; sent: number; deadlinesMissed: number };
      type Read = (counter: Counter, endpoint: string, counts: Counts) => void;
      counterOf(
        'api_messages_total',
        'Messages, by method and direction.',
        ['endpoint', 'direction'],
        (counter, endpoint, { received, sent }) => {
          counter.inc({ endpoint, direction: 'in' }, received);
          counter.inc({ endpoint, direction: 'out' }, sent);
        },
      );
      counterOf(
        'api_deadline_exceeded_total',
        'Calls that ended because their deadline came first.',
        ['endpoint'],
        (counter, endpoint, { deadlinesMissed }) => counter.inc({ endpoint }, deadlinesMissed),
      );
    },
    watchStore(sources: {
      queued: () => (readonly [urgency: string, depth: number])[];
      /** Absent: the engine's log is its own. */
      walBytes?: () => Promise<number>;
    }): void {
      const { walBytes } = sources;
      gaugeOf(
        'database_queue_depth',
        'Writes waiting, by urgency.',
        (gauge) => {
          for (const [urgency, depth] of sources.queued()) gauge.set({ urgency }, depth);
        },
        ['urgency'],
      );
      if (walBytes === undefined) {
        registry.removeSingleMetric('database_checkpoint_duration_seconds');
        return;
      }
      gaugeOf('database_wal_bytes', 'Size of the write-ahead log.', async (gauge) =>
        gauge.set(await walBytes()),
      );
    },
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Replaces prom-client's event loop metrics: their 100 samples a second took 0.7 % of a
 * core of an idle master, and they count the interval itself as lag.
 */
function watchEventLoop(registry: Registry): void {
  const delays = monitorEventLoopDelay({ resolution: lookEveryMs });
  delays.enable();
  const gauges = Object.entries(eventLoopLags).map(([figure, read]) => {
    const name = `nodejs_eventloop_lag_${figure}_seconds`;
    registry.removeSingleMetric(name);
    const gauge = new Gauge({
      name,
      registers: [registry],
      help: `Lateness of the event loop since the last scrape: ${figure}.`,
      // prom-client reads gauges in order: the first one sets all.
      ...(figure === 'min' && { collect: () => setAll() }),
    });
    return { gauge, read };
  });
  const setAll = () => {
    for (const { gauge, read } of gauges) gauge.set(read(delays));
    delays.reset();
  };
}
