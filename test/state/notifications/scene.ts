import { pino } from 'pino';
import { loadMasterConfig } from '../../../src/config/load.js';
import type { Timer } from '../../../src/core/clock.js';
import { backgroundRunner } from '../../../src/core/context.js';
import {
  CampaignBuild,
  type CampaignPolicies,
  CampaignSpec,
} from '../../../src/gen/pandafuzz/v1/campaign_service.js';
import { createMetrics, type Metrics } from '../../../src/metrics.js';
import { completeCampaignSpec, storedArms, storedSpec } from '../../../src/state/campaigns/spec.js';
import { Violations } from '../../../src/state/messages/violations.js';
import { gatherMs } from '../../../src/state/notifications/follower.js';
import { Notifications } from '../../../src/state/notifications/notifications.js';
import type { Operation } from '../../../src/store/operation.js';
import { createCampaign } from '../../../src/store/ops/campaigns/create-campaign.js';
import { recordCrash } from '../../../src/store/ops/crashes/record-crash.js';
import { setGroupStatus } from '../../../src/store/ops/crashes/set-group-status.js';
import { pruneEvents } from '../../../src/store/ops/events/prune-events.js';
import { createJob } from '../../../src/store/ops/jobs/create-job.js';
import { claimJob } from '../../../src/store/ops/scheduling/claim-job.js';
import type { Store } from '../../../src/store/store.js';
import { atEnd, openStore, temporaryFolder, testContext } from '../../harness.js';
import { inProcess } from '../../in-process.js';
import { given } from '../../steps.js';
import {
  claimInput,
  crashInput,
  jobInput,
  target,
  withBot,
  withTarget,
} from '../../store/inputs.js';
import { VirtualClock } from '../../virtual-clock.js';
import { Inbox } from './receiver.js';

export const secret = 'a secret of the tests';
/** A clock turned by hand, on which the moment in which events are gathered passes by itself. */
class GatheringClock extends VirtualClock {
  override schedule(delayMs: number, fire: () => void): Timer {
    if (delayMs !== gatherMs) return super.schedule(delayMs, fire);
    const soon = setImmediate(fire);
    return { cancel: () => clearImmediate(soon) };
  }
}

export interface LogLine {
  msg: string;
  level: number;
  webhook: string;
  delivery: string;
  why?: string;
  tries?: number;
  pauseMs: number;
  status?: number;
}

type Settings = Record<string, unknown>;

/** Webhooks over a real store, with a clock turned by hand and a log that can be read. */
export class WebhookScene {
  readonly clock = new GatheringClock();
  readonly log = new Inbox<LogLine>();
  /** Everything that was logged, as text. */
  logged = '';
  store!: Store;
  metrics!: Metrics;
  #notifications!: Notifications;
  #jobs = new Map<string, string>();
  #inputs = 0;
  readonly defaults = loadMasterConfig({ environment: {} }).jobs;
  readonly #directory = temporaryFolder();

  static async open(...webhooks: Settings[]): Promise<WebhookScene> {
    const scene = new WebhookScene();
    await scene.#openStore();
    await withTarget(scene.store);
    await scene.start(...webhooks);
    return scene;
  }

  async #openStore(): Promise<void> {
    this.store = await openStore({ connect: inProcess, directory: this.#directory });
  }

  /** A master's notifications; no pause between tries is shorter than its bound. */
  async start(...webhooks: Settings[]): Promise<void> {
    const isMail = (one: Settings) => 'server' in one;
    const posted = webhooks.filter((one) => !isMail(one));
    const signed = posted.map((one) => ('kind' in one ? one : { secret, ...one }));
    const environment = {
      PANDAFUZZ_NOTIFICATIONS_WEBHOOKS: JSON.stringify(signed),
      PANDAFUZZ_NOTIFICATIONS_EMAILS: JSON.stringify(webhooks.filter(isMail)),
    };
    const config = loadMasterConfig({ environment });
    const hear = (line: string) => {
      this.logged += line;
      this.log.put(JSON.parse(line));
    };
    const log = pino({ base: null }, { write: hear });
    this.metrics = createMetrics();
    const notifications = new Notifications({
      store: this.store,
      clock: this.clock,
      log,
      metrics: this.metrics,
      version: 'test',
      inBackground: backgroundRunner({ timeoutMs: 10_000, log }),
      random: () => 1,
      settings: config.notifications,
    });
    this.#notifications = notifications;
    atEnd(() => notifications.stop());
    await notifications.start();
  }

  failing() {
    return this.#notifications.failing();
  }

  stop(): Promise<void> {
    return this.#notifications.stop();
  }

  /** A later master on the same folder. */
  async restart(...webhooks: Settings[]): Promise<void> {
    await this.stop();
    await this.store.close();
    await this.#openStore();
    await this.start(...webhooks);
  }

  /** The next line with this message, whatever else is logged before it. */
  async line(msg: string): Promise<LogLine> {
    for (;;) {
      const line = await this.log.next();
      if (line.msg === msg) return line;
    }
  }

  /** A crash with this signature: a new group, or a sighting of one. Returns its group. */
  async crash(signature: string, project = 'default'): Promise<string> {
    const id = this.#jobs.get(project) ?? (await this.#job(project));
    const input = '0123456789abcdef'[this.#inputs++] as string;
    const crash = crashInput({ id, attempt: 1, fence: 1 }, input, signature);
    const stack = JSON.stringify([{ function: 'f', file: 'f.c', line: 3, own: true }]);
    const more = { message: 'out of bounds', stack, now: this.clock.now() };
    return (await this.run(recordCrash, { ...crash, ...more })).groupId;
  }

  /** In the only build there is: the next sighting reopens it. */
  async fix(groupId: string): Promise<void> {
    const judged = { groupId, status: 'fixed' as const, note: null, by: 'ada' };
    await this.run(setGroupStatus, { ...judged, fixedIn: target.sha256, now: this.clock.now() });
  }

  /** An active campaign with a run that a bot has. Returns its id. */
  async campaign(name = 'png', policies?: CampaignPolicies): Promise<string> {
    const id = `campaign ${name}`;
    const { defaults } = this;
    const spec = CampaignSpec.create({
      ...{ project: 'default', name, targetName: 'demo', weight: 1, sharing: 1, policies },
      builds: [{ name: 'libfuzzer', engine: 'libfuzzer', targetSha256: target.sha256 }].map((one) =>
        CampaignBuild.create(one),
      ),
    });
    const whole = completeCampaignSpec(spec, defaults, new Violations());
    await this.run(createCampaign, {
      ...{ id, requestId: null, project: 'default', name, targetName: 'demo' },
      ...{ weight: 1, maxParallel: 0, now: this.clock.now(), key: `default/${name}`, dueAt: null },
      ...{ spec: storedSpec(whole), arms: storedArms(whole) },
    });
    return id;
  }

  /** Forgets all events but the newest. */
  async forget(): Promise<void> {
    await this.run(pruneEvents, { olderThan: Number.MAX_SAFE_INTEGER, limit: 1000 });
  }

  async #job(project: string): Promise<string> {
    const { id } = jobInput();
    await this.run(createJob, { ...jobInput(), id, project });
    given((await this.run(claimJob, claimInput(await withBot(this.store, project)))) ?? undefined);
    this.#jobs.set(project, id);
    return id;
  }

  run<Input, Output>(operation: Operation<Input, Output>, input: Input): Promise<Output> {
    return this.store.run(testContext(), operation, input);
  }

  async outcomes(): Promise<Record<string, number>> {
    const { values } = await this.metrics.notificationDeliveries.get();
    return Object.fromEntries(
      values.map(({ labels, value }) => [`${labels.destination} ${labels.outcome}`, value]),
    );
  }

  async pendingAgeSeconds(): Promise<number | undefined> {
    const gauge = given(this.metrics.registry.getSingleMetric('notification_pending_age_seconds'));
    return (await gauge.get()).values[0]?.value;
  }
}
