import { compareKind } from './compare.js';
import { decisionTime } from './decision-time.js';
import {
  forecastEdges,
  forecastsOf,
  groupEdges,
  groupForecastsOf,
  type ScoredBin,
  scored,
} from './forecasts.js';
import { kinds } from './kinds.js';

/**
 * `make simulate-campaigns`: figures of shares and forecasts on invented campaigns, by the
 * product's own code. The same on every machine, but for the time of a decision.
 */

const usual = 50;
const seeds = Number(process.env['SEEDS'] || usual);
if (!(Number.isInteger(seeds) && seeds >= 1 && seeds <= 1000)) {
  process.stderr.write(`SEEDS=${process.env['SEEDS']}: give a whole number from 1 to 1000\n`);
  process.exit(64);
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const percent = (part: number) => (part * 100).toFixed(0);

say(`CPU time until 90 % of what even shares find in 160 CPU hours, % of theirs: median, and 10 to
90 % of the campaigns. In brackets: features after 160 CPU hours, % of those of even shares.\n`);
say('| campaigns | how many | even shares, other luck | shares by return |');
say('| --- | --: | --: | --: |');
for (const kind of kinds) {
  const { campaigns, luck, shares, passedEvenly } = compareKind(kind, seeds);
  const [chance, gain] = [luck, shares].map(({ time, found }) => {
    const range = `${percent(time.low)}-${percent(time.high)}`;
    return `${percent(time.median)} [${range}] (${percent(found)})`;
  });
  say(`| ${kind.name} | ${campaigns} | ${chance} | ${gain} |`);
  if (kind.passedAbove === undefined) continue;
  const passed = [luck, shares].map((one) => `${percent(one.passed)} %`);
  const mean = [luck, shares].map((one) => percent(one.meanFound));
  say(`| … broke through (even: ${percent(passedEvenly)} %) | | ${passed[0]} | ${passed[1]} |`);
  say(`| … mean of features | | (${mean[0]}) | (${mean[1]}) |`);
}

const told = [false, true].flatMap((hasGates) => forecastsOf(seeds, { hasGates }));
sayScores('a find in the next hour', scored(told, forecastEdges));
sayScores('a new crash group', scored(groupForecastsOf(seeds * 3), groupEdges));

const { builds, turnUs, sharesUs } = decisionTime();
say(
  `\nWith ${builds} builds: the turn ${turnUs.toFixed(1)} us, shares anew ${sharesUs.toFixed(1)} us.`,
);

function sayScores(about: string, bins: readonly ScoredBin[]): void {
  const row = (cells: readonly string[]) => say(`| ${cells.join(' | ')} |`);
  say(`\nForecasts of ${about}:\n`);
  row(['', ...bins.map(({ from }) => `from ${percent(from)} %`)]);
  row(['---', ...bins.map(() => '--:')]);
  row(['how many', ...bins.map(({ count }) => String(count))]);
  row(['said, %', ...bins.map(({ said }) => percent(said))]);
  row(['came, %', ...bins.map(({ came }) => percent(came))]);
}
