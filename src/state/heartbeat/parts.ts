import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import type { Rate } from '../../core/rate-limit.js';
import type { HeartbeatResponse, Hello } from '../../gen/pandafuzz/v1/heartbeat.js';
import type { BotRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Blame } from '../bots/blame.js';
import type { Holds } from '../bots/holds.js';
import type { Sessions } from '../bots/sessions.js';
import type { Jobs } from '../jobs/jobs.js';
import type { Logs } from '../jobs/logs.js';
import type { Acknowledgements } from '../leases/acknowledgements.js';
import type { BeatLog } from '../leases/beat-log.js';
import type { Leases } from '../leases/leases.js';
import type { JobSecrets } from '../messages/job-secrets.js';
import type { Dispatch } from '../scheduling/dispatch.js';
import type { Reaper } from '../scheduling/reaper.js';
import type { Rhythm } from './rhythm.js';

/** What all heartbeat sessions share. */
export interface SessionParts {
  readonly store: Store;
  readonly leases: Leases;
  readonly dispatch: Dispatch;
  readonly sessions: Sessions;
  readonly reaper: Reaper;
  readonly beatLog: BeatLog;
  readonly rhythm: Rhythm;
  readonly acknowledgements: Acknowledgements;
  readonly jobs: Jobs;
  readonly logs: Logs;
  readonly holds: Holds;
  readonly blame: Blame;
  readonly secrets: JobSecrets;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  /** Of one stream's messages. */
  readonly messageRate: Rate;
  /** helloMs: longest until the first message of a stream. */
  readonly intervals: { heartbeatMs: number; ttlMs: number; helloMs: number };
}

/** Messages from master to bot. */
export interface Outgoing {
  send(message: HeartbeatResponse): void;
  /** Replaces an earlier message of this kind that is not sent yet. */
  sendLatest(message: HeartbeatResponse): void;
  /** Ends the stream with this error's status. */
  fail(error: Error): void;
  /** The stream has ended. */
  isOver(): boolean;
}

/** What a session begins with. */
export interface Opened {
  readonly bot: BotRow;
  readonly arrival: number;
  readonly hello: Hello;
  /** Nobody on the way can read what the bot is sent. */
  readonly isPrivate: boolean;
}
