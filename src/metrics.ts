import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/**
 * Every instrument, in one place. No label ever carries a caller's value (an id,
 * a name): their number is fixed by the code.
 */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const seconds = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
  ];
  const gaugeOf = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read());
      },
    });
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    databaseOperationSeconds: new Histogram({
      name: 'database_operation_duration_seconds',
      help: 'Time from handing an operation to the store to its answer, retries included.',
      labelNames: ['operation', 'outcome'],
      buckets: seconds,
      registers,
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
    queuedWrites: new Gauge({
      name: 'database_queued_writes',
      help: 'Writes waiting for the next group.',
      registers,
    }),
    apiRequestSeconds: new Histogram({
      name: 'api_request_duration_seconds',
      help: 'Time from a call to its status, by method and status code.',
      labelNames: ['endpoint', 'code'],
      buckets: seconds,
      registers,
    }),
    /** Figures that are read when somebody asks, not pushed when they change. */
    watch(sources: { botsOnline: () => number; leasesHeld: () => number }): void {
      gaugeOf('bots_online', 'Bots that hold a heartbeat stream.', sources.botsOnline);
      gaugeOf('leases_held', 'Leases that are valid now.', sources.leasesHeld);
    },
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
