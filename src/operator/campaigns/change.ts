import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { isAway } from '../../client/failure.js';
import { sleep, systemClock } from '../../core/clock.js';
import { UserError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { backoffMs } from '../../core/retry.js';
import {
  CampaignEnd,
  CampaignPolicies,
  CampaignPolicy,
  CampaignSharing,
  CampaignSpec,
  FuzzingCampaign,
} from '../../gen/pandafuzz/v1/campaign_service.js';
import { JobLimits, Requirements } from '../../gen/pandafuzz/v1/job.js';
import { sendCoverageBuild } from '../coverage/run.js';
import { eachOf } from '../each.js';
import { usage } from '../exit-codes.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { type CallOptions, repetition } from '../submit.js';
import { expectExecutable } from '../target.js';
import { readyBuilds, sendInputs, type WantedBuilds } from './builds.js';
import { pinned, replaceBuilds, withoutBuilds } from './replace.js';
import { campaignDetails, fuzzingTable } from './views.js';

/** `pandafuzz campaign create|update|pause|resume|archive`. */

type Wished<Fields> = { readonly [K in keyof Fields]?: Fields[K] | undefined };

/** What people say of a campaign beside its builds; what is left out stays, or is the default. */
export interface CampaignWishes {
  readonly spec: Wished<
    Pick<
      CampaignSpec,
      | 'arguments'
      | 'environment'
      | 'weight'
      | 'maxParallel'
      | 'runSeconds'
      | 'sharing'
      | 'notBefore'
      | 'windows'
      | 'timeZone'
    >
  >;
  readonly limits: Wished<JobLimits>;
  readonly requirements: Wished<Requirements>;
  readonly until: Wished<CampaignEnd>;
  readonly builds: WantedBuilds;
  readonly seeds: readonly string[];
  readonly dictionary?: string;
  readonly pins: Readonly<Record<string, string>>;
  readonly sharing: 'by-return' | 'even' | undefined;
  /** The coverage build of its target, and a folder of sources. */
  readonly coverage?: { readonly program: string; readonly sources?: string };
  readonly policies: Readonly<Partial<Record<keyof CampaignPolicies, 'on' | 'off' | 'default'>>>;
}

export function createCampaign(
  flags: Flags,
  name: string,
  wishes: CampaignWishes & { readonly targetName: string },
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { project, isChecked } = wishes.builds;
    const { builds, targetName } = await readyBuilds(connection, wishes.builds, options);
    if (builds.length === 0) {
      throw new UserError('name an executable to fuzz, --bundle or --target', usage);
    }
    const inputs = await sendInputs(connection, { ...wishes, isChecked }, options);
    const about = { project, name, targetName: wishes.targetName || targetName };
    const spec = wished(CampaignSpec.create({ ...about, builds: [...builds] }), wishes);
    if (wishes.coverage) await expectExecutable(wishes.coverage.program);
    const campaign = await create(connection, { ...spec, ...defined(inputs) }, options);
    await bringCoverage(connection, campaign, wishes, options);
    print(flags, {
      json: () => FuzzingCampaign.toJSON(campaign),
      text: () => campaignDetails({ campaign }, Date.now()),
    });
  });
}

async function bringCoverage(
  connection: Connection,
  { spec }: FuzzingCampaign,
  { coverage }: CampaignWishes,
  options: CallOptions,
): Promise<void> {
  if (!coverage) return;
  const { project = '', targetName = '' } = spec ?? {};
  await sendCoverageBuild(connection, { ...coverage, key: { project, targetName } }, options);
}

/** Repeats the call while no master answers: the same request_id is always the same campaign. */
async function create(
  { campaigns }: Connection,
  spec: CampaignSpec,
  options: CallOptions,
): Promise<FuzzingCampaign> {
  const signal = options.signal ?? new AbortController().signal;
  const request = { spec, requestId: newId() };
  for (let retry = 1; ; retry++) {
    try {
      const { campaign } = await unary(campaigns, campaigns.createCampaign, request, options);
      return expectCampaign(campaign);
    } catch (error) {
      if (!isAway(error) || retry > repetition.maxRetries) throw error;
      await sleep(systemClock, backoffMs(repetition, retry), signal);
    }
  }
}

export function updateCampaign(
  flags: Flags,
  campaign: string,
  wishes: CampaignWishes & {
    /** The build that the new one is for. */
    readonly build?: string;
    readonly removed: readonly string[];
  },
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { campaigns } = connection;
    const { project, isChecked } = wishes.builds;
    const named = { project, campaign };
    const before = await unary(campaigns, campaigns.getCampaign, named, options);
    const { id, revision, spec: old } = expectCampaign(before.campaign);
    if (!old) throw new UserError('the master sent no spec');
    const wanted = { ...wishes.builds, project: old.project };
    const { builds: fresh } = await readyBuilds(connection, wanted, options);
    const inputs = await sendInputs(connection, { ...wishes, isChecked }, options);
    const kept = withoutBuilds(replaceBuilds(old.builds, fresh, wishes.build), wishes.removed);
    const spec = { ...wished({ ...old, builds: kept }, wishes), ...defined(inputs) };
    const request = { project: '', campaign: id, spec, revision };
    const answer = await unary(campaigns, campaigns.updateCampaign, request, options);
    const after = expectCampaign(answer.campaign);
    await bringCoverage(connection, after, wishes, options);
    print(flags, {
      json: () => FuzzingCampaign.toJSON(after),
      text: () => campaignDetails({ campaign: after }, Date.now()),
    });
  });
}

const sharings: Readonly<Record<string, CampaignSharing>> = {
  'by-return': CampaignSharing.BY_RETURN,
  even: CampaignSharing.EVEN,
};

const policyNumbers = {
  on: CampaignPolicy.ON,
  off: CampaignPolicy.OFF,
  default: CampaignPolicy.UNSPECIFIED,
} as const;

function policiesOf(
  before: CampaignPolicies | undefined,
  wishes: CampaignWishes['policies'],
): CampaignPolicies {
  const changed = Object.entries(wishes).map(([name, way]) => [name, policyNumbers[way]]);
  return { ...(before ?? CampaignPolicies.create()), ...Object.fromEntries(changed) };
}

/** The spec with what people wish for. */
function wished(spec: CampaignSpec, wishes: CampaignWishes): CampaignSpec {
  const { limits, requirements, until } = wishes;
  return {
    ...spec,
    ...defined(wishes.spec),
    limits: { ...(spec.limits ?? JobLimits.create()), ...defined(limits) },
    requirements: { ...(spec.requirements ?? Requirements.create()), ...defined(requirements) },
    until: { ...(spec.until ?? CampaignEnd.create()), ...defined(until) },
    sharing: sharings[wishes.sharing ?? 'same'] ?? spec.sharing,
    builds: pinned(spec.builds, wishes.pins),
    policies: policiesOf(spec.policies, wishes.policies),
  };
}

/** Without the fields that are undefined. */
function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(pairs) as Defined<Fields>;
}

type Defined<Fields> = { [K in keyof Fields]?: Exclude<Fields[K], undefined> };

export type CampaignMove = 'pause' | 'resume' | 'archive';

/**
 * Applies one change to each, even after one has failed.
 *
 * @returns the exit code: 1 if the master refused one
 */
export function moveCampaigns(
  flags: Flags & { project?: string; now?: boolean; reason?: string },
  move: CampaignMove,
  names: readonly string[],
): Promise<number> {
  return asking(flags, async (connection, options) => {
    const { campaigns } = connection;
    const moved: FuzzingCampaign[] = [];
    const refused = await eachOf(names, connection.address, async (campaign) => {
      const request = {
        project: flags.project ?? '',
        campaign,
        stopRuns: flags.now ?? false,
        reason: flags.reason ?? '',
      };
      const methods = {
        pause: campaigns.pauseCampaign,
        resume: campaigns.resumeCampaign,
        archive: campaigns.archiveCampaign,
      };
      const answer = await unary(campaigns, methods[move], request, options);
      moved.push(expectCampaign(answer.campaign));
    });
    print(flags, {
      json: () => ({ campaigns: moved.map(FuzzingCampaign.toJSON) }),
      text: () => fuzzingTable(moved, Date.now()),
    });
    return refused > 0 ? 1 : 0;
  });
}

export function expectCampaign(campaign: FuzzingCampaign | undefined): FuzzingCampaign {
  if (campaign) return campaign;
  throw new UserError('the master sent no campaign');
}
