/** Milliseconds of an hour. */
export const msOfHour = 3_600_000;

/** What ends a campaign by itself: CampaignEnd as protobuf JSON. */
export interface CampaignEndJson {
  cpuHours?: number;
  quietCpuHours?: number;
  at?: string;
  firstCrash?: boolean;
}

/** What a campaign has done, as far as its end depends on it. */
export interface CampaignSums {
  billed_ms: number;
  quiet_from_ms: number;
}

/** The end of a spec. */
export const endOf = (spec: string): CampaignEndJson => JSON.parse(spec).until ?? {};

/**
 * Why a campaign is over by now, for people; undefined: it is not.
 *
 * @param hasCrashed the run that has just ended found a crash
 */
export function whyOver(
  until: CampaignEndJson,
  { billed_ms, quiet_from_ms }: CampaignSums,
  { now, hasCrashed = false }: { now: number; hasCrashed?: boolean },
): string | undefined {
  const { cpuHours = 0, quietCpuHours = 0, at, firstCrash = false } = until;
  if (firstCrash && hasCrashed) return 'its first crash was found';
  if (cpuHours > 0 && billed_ms >= cpuHours * msOfHour) {
    return `its ${cpuHours} CPU hours are used`;
  }
  if (quietCpuHours > 0 && billed_ms - quiet_from_ms >= quietCpuHours * msOfHour) {
    return `nothing new was found in ${quietCpuHours} CPU hours`;
  }
  if (at !== undefined && Date.parse(at) <= now) return 'its time is over';
  return undefined;
}
