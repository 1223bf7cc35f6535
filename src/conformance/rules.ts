/** What a bot has to do, in the order of the report. docs/protocol.md says why. */
const promises = {
  register: 'registers with a name, its engines and its slots',
  hello: 'opens the stream with one Hello, and waits for Welcome',
  beats: 'beats at once after Welcome, and then at each interval',
  sequence: 'counts beats 1, 2, 3, … on each stream',
  fields: 'keeps every field within its bounds',
  sizes: 'keeps messages within 512 KiB, and chunks within 256 KiB',
  slots: 'announces no more free slots than it has',
  capacity: 'leaves an offer beyond its slots unanswered',
  accept: 'answers Assign with LeaseAck, and names the lease in its beats',
  fences: 'names job, attempt and fence of a lease as the Assign has them',
  renew: 'names every lease that it holds in each beat',
  reject: 'refuses a job that it cannot run, with the reason',
  download: 'goes on with a download that broke off',
  checksum: 'runs no target whose SHA-256 is another',
  crash: 'repeats the report of a crash until it is stored, before JobDone',
  done: 'repeats JobDone until it is acknowledged, and not after that',
  'done-again': 'repeats JobDone on a new stream, whose Hello names the lease',
  'retry-after': 'waits for retry_after_ms before it repeats a result',
  late: 'deletes the run when its result is refused as STALE_LEASE',
  cancel: 'stops a run on Cancel: CancelAck, then JobDone as CANCELLED',
  'cancel-by-beat': 'stops a run on cancel_requested of a BeatAck',
  lost: 'stops a run without a result when its lease has no time left',
  drain: 'announces no free slots from Drain to Resume, and finishes its jobs',
  resume: 'keeps runs when the stream ends, and names their leases in Hello',
  restart: 'keeps runs while the master restarts',
  'not-kept': 'stops a run without a result when Welcome does not keep its lease',
  'go-away': 'waits for reconnect_after_ms after GoAway',
  forgotten: 'registers again when the master does not know it',
  backoff: 'waits between attempts to connect',
  log: 'answers ReadLog, if its Hello says so',
  unknown: 'ignores messages that it does not know',
  silence: 'opens a new stream when beats are not answered',
  rival: 'waits 5 s or longer when another process of it is live',
  stop: 'ends within 10 s on SIGTERM',
} as const;

export type Rule = keyof typeof promises;

export const rules = Object.keys(promises) as Rule[];

export const promiseOf = (rule: Rule): string => promises[rule];

export const isRule = (text: string): text is Rule => Object.hasOwn(promises, text);
