import { one, type Steps, statement } from './statement.js';

/** What campaigns want done by itself: CampaignPolicies as protobuf JSON. */

export type PolicyName = 'reproduce' | 'minimise' | 'merge' | 'notify' | 'coverage';

/** undefined: as master.yaml has it. */
export type Policy = 'on' | 'off' | undefined;

/** @param spec CampaignSpec as protobuf JSON; undefined: there is no campaign */
export function policyIn(spec: string | undefined, name: PolicyName): Policy {
  if (spec === undefined) return undefined;
  const value = JSON.parse(spec).policies?.[name];
  if (value === 'CAMPAIGN_POLICY_ON') return 'on';
  return value === 'CAMPAIGN_POLICY_OFF' ? 'off' : undefined;
}

const specByCrash = statement<{ crashId: string }, { spec: string }>(`
  SELECT fuzz_campaigns.spec FROM crashes
    JOIN jobs ON jobs.id = crashes.job_id
    JOIN fuzz_campaigns ON fuzz_campaigns.key = jobs.campaign
  WHERE crashes.id = @crashId AND fuzz_campaigns.state <> 'archived'`);

const specByTarget = statement<{ project: string; targetName: string }, { spec: string }>(`
  SELECT spec FROM fuzz_campaigns
  WHERE project = @project AND target_name = @targetName AND state <> 'archived'
  ORDER BY id DESC LIMIT 1`);

/** The policy of the campaign whose run met a crash. */
export function* policyOfCrash(crashId: string, name: PolicyName): Steps<Policy> {
  return policyIn((yield* one(specByCrash, { crashId }))?.spec, name);
}

/** The policy of the newest campaign of a target. */
export function* policyOfTarget(
  of: { project: string; targetName: string },
  name: PolicyName,
): Steps<Policy> {
  return policyIn((yield* one(specByTarget, of))?.spec, name);
}
