import type { CampaignForecast } from '../../gen/pandafuzz/v1/campaign_service.js';
import { msOfHour } from '../../store/campaign-end.js';
import { binOf, leastMs, leastRuns, mostBins } from '../../store/campaign-forecast.js';

/** With fewer earlier forecasts than this, their record says little. */
const leastScored = 5;
/** Above this the chance of a new group promises too much. */
const promised = 0.25;

export interface SoFar {
  readonly runs: number;
  readonly cpuHours: number;
  /** Since the last find. */
  readonly quietCpuHours: number;
  readonly hasFound: boolean;
  /** Its runs under way. */
  readonly running: number;
}

/** A forecast for people: what was found, what may come, and what that does not say. */
export function sentencesOf(
  forecast: Omit<CampaignForecast, 'sentences'>,
  so: SoFar,
): readonly string[] & string[] {
  if (!forecast.isKnown) {
    return [`too early to say whether there is more to find: ${missingOf(so).join(', ')}`];
  }
  return [
    foundLately(forecast, so),
    comesNext(forecast, so),
    ...newGroups(forecast),
    'This is about what these engines still find with this corpus; it says nothing about code that they do not reach.',
    recordOf(forecast),
  ];
}

/** What a forecast waits for; what there is enough of is left out. */
function missingOf({ runs, cpuHours }: SoFar): string[] {
  const leastHours = leastMs / msOfHour;
  // Rounded down: "2 of 2" would wait for nothing.
  const hours = cpuHours >= 1 ? Math.floor(cpuHours * 10) / 10 : cpuHours;
  return [
    ...(runs < leastRuns ? [`${runs} of ${leastRuns} runs`] : []),
    ...(cpuHours < leastHours ? [`${figure(hours)} of ${leastHours} CPU hours`] : []),
  ];
}

type Forecast = Omit<CampaignForecast, 'sentences'>;

function foundLately(
  { recentRuns, recentFindingRuns, recentCpuHours, isBound }: Forecast,
  { hasFound, quietCpuHours }: SoFar,
): string {
  const runs = `${Math.max(Math.round(recentRuns), 1)} runs`;
  const many = isBound ? 'hardly any' : `about ${Math.max(Math.round(recentFindingRuns), 1)}`;
  const last = hasFound
    ? `, the latest find ${figure(quietCpuHours)} CPU hours ago`
    : ', and none before';
  const found = `${many} of ${runs} found something new`;
  return `In its last ${figure(recentCpuHours)} CPU hours ${found}${last}.`;
}

function comesNext({ chance, low, high, isBound, nextCpuHours }: Forecast, { running }: SoFar) {
  const next =
    running > 0 ? `the next hour (${figure(nextCpuHours)} CPU hours)` : 'one more CPU hour';
  if (isBound) return `At this pace ${next} has a chance of ${below(high)} to find something new.`;
  const range = rangeOf(low, high);
  return `At this pace ${next} has a chance of ${about(chance)} to find more (range ${range}).`;
}

function newGroups({ groupRuns, groupsMet, groupsOnce, newGroupChance }: Forecast): string[] {
  if (newGroupChance === undefined) {
    return ['Too few runs of its newest build have ended to say anything about crash groups.'];
  }
  const chance =
    newGroupChance > promised ? `at most ${about(newGroupChance)}` : about(newGroupChance);
  if (groupsMet === 0) return [`None of ${groupRuns} runs met a crash: ${chance} for one.`];
  const groups = groupsMet === 1 ? '1 crash group' : `${groupsMet} crash groups`;
  const once = groupsMet === 1 && groupsOnce === 1 ? 'it' : String(groupsOnce);
  const met =
    groupsOnce === 0
      ? 'none was met in one run only'
      : `${once} ${groupsOnce === 1 ? 'was' : 'were'} met in one run only`;
  return [`Of ${groups} ${met}: ${chance} for a new one.`];
}

function recordOf({ chance, scores }: Forecast): string {
  const bin = binOf(chance);
  const like = scores.find(({ from }) => binOf(from + 0.5 / mostBins) === bin);
  const of = `${(bin * 100) / mostBins} to ${((bin + 1) * 100) / mostBins} %`;
  if (!like || like.forecasts < leastScored) {
    return `There are too few earlier forecasts like it (${of}) to compare it with.`;
  }
  const came = Math.round(like.came * like.forecasts);
  return `Of ${like.forecasts} earlier forecasts like it (${of}), ${came} came true.`;
}

/** "4 in 10", "1 in 16", "19 in 20": never none, and never certain. */
function odds(chance: number): string {
  if (chance < 0.01) return 'less than 1 in 100';
  if (chance < 0.145) return `1 in ${Math.round(1 / chance)}`;
  if (chance < 0.925) return `${Math.round(chance * 10)} in 10`;
  if (chance < 0.99)
    return `${Math.round(1 / (1 - chance)) - 1} in ${Math.round(1 / (1 - chance))}`;
  return 'more than 99 in 100';
}

const about = (chance: number): string => {
  const said = odds(chance);
  return /than/.test(said) ? said : `about ${said}`;
};

function below(bound: number): string {
  const said = odds(bound);
  return /than/.test(said) ? said : `less than ${said}`;
}

function rangeOf(low: number, high: number): string {
  const tenths = (chance: number) => chance >= 0.145 && chance < 0.925;
  if (tenths(low) && tenths(high)) {
    const [from, to] = [Math.round(low * 10), Math.round(high * 10)];
    return from === to ? `about ${from} in 10` : `${from} to ${to} in 10`;
  }
  return `${odds(low)} to ${odds(high)}`;
}

/** Two digits, or as many as there are before the point. */
const figure = (value: number): string =>
  value >= 10 ? value.toFixed(0) : Number(value.toFixed(value >= 1 ? 1 : 2)).toString();
