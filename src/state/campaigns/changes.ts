import { CampaignSpec } from '../../gen/pandafuzz/v1/campaign_service.js';

/** Fields whose values people want to read in a history. */
const short = ['weight', 'maxParallel', 'runSeconds', 'sharing'];
/** Told by the builds themselves, or never changed. */
const leftOut = ['builds', 'project', 'name', 'targetName'];

/** What a new spec changes beside its builds, in words for people. */
export function changesOf(before: CampaignSpec, after: CampaignSpec): string[] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return names.flatMap((name) => {
    const [from, to] = [old[name], now[name]];
    if (leftOut.includes(name) || JSON.stringify(from) === JSON.stringify(to)) return [];
    const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return [short.includes(name) ? `${words} ${shown(from)} -> ${shown(to)}` : `${words} changed`];
  });
}

const fieldsOf = (spec: CampaignSpec) => CampaignSpec.toJSON(spec) as Record<string, unknown>;

const shown = (value: unknown): string =>
  String(value ?? 0)
    .replace('CAMPAIGN_SHARING_', '')
    .toLowerCase();
