import { styleText } from 'node:util';
import { age, grouped, si, spark } from '../../core/figures.js';
import type { CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { Health, type Problem } from '../../gen/pandafuzz/v1/statistics_service.js';
import { titleOf } from '../crashes/describe.js';
import { cut } from '../fit.js';
import { plain } from '../format.js';
import { groupStatus } from '../words.js';
import { wrapped } from '../wrap.js';
import { type Entry, entriesOf, type Sort, sorted } from './entries.js';
import type { TopState } from './state.js';

export interface View {
  readonly columns: number;
  /** Lines that fit; undefined: all are shown. */
  readonly rows: number | undefined;
  readonly isUtf8: boolean;
  readonly sort: Sort;
  /** The line that is marked. */
  readonly chosen: number;
  /** Reasons and remedies are shown. */
  readonly why: boolean;
  /** What stands at the right of the first line. */
  readonly line: string;
  /** Keys, in the last line; undefined: there are none. */
  readonly keys: string | undefined;
}

type Colour = 'red' | 'yellow' | 'green' | 'magenta' | 'dim' | 'bold' | 'none';

/** Looks at NO_COLOR, and at whether standard output is a terminal, by itself. */
const coloured = (colour: Colour, text: string): string =>
  colour === 'none' ? text : styleText(colour, text, { stream: process.stdout });

const mostProblems = 5;
const mostGroups = 3;
/** Below this there is room for state and problems alone. */
const least = { columns: 60, rows: 15 };

/** The lines of a whole picture; none is wider than the terminal. */
export function draw(state: TopState, view: View): string[] {
  const head = headLines(state, view);
  const foot = view.keys === undefined ? [] : [coloured('dim', fit(view.keys, view.columns))];
  const isSmall = view.columns < least.columns || (view.rows ?? least.rows) < least.rows;
  const room =
    view.rows === undefined ? Number.POSITIVE_INFINITY : view.rows - head.length - foot.length;
  const wrong = problemLines(state.problems, view, isSmall ? room : room - 4);
  if (isSmall) return [...head, ...wrong, ...foot];
  const groups = groupLines(state.groups, state.at, view);
  const targets = targetLines(state, view, room - wrong.length - groups.length);
  return [...head, ...wrong, ...targets, ...groups, ...foot];
}

function headLines({ address, stats, at, targets, groups }: TopState, view: View): string[] {
  const up = stats.startedAt ? age(at.getTime() - stats.startedAt.getTime()) : '-';
  const time = `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  const { running = 0, assigned = 0, pending = 0 } = stats.jobs ?? {};
  const busy = running + assigned;
  const off = Math.max(0, stats.botsTotal - stats.botsOnline);
  const fresh = targets.reduce((sum, { newGroups }) => sum + newGroups, 0);
  const open = targets.reduce((sum, { openGroups }) => sum + openGroups, 0);
  const finds = targets.flatMap(({ lastFindAt }) => lastFindAt?.getTime() ?? []);
  const find = finds.length > 0 ? `${age(at.getTime() - Math.max(...finds))} ago` : '–';
  const left = `${plain(address)}  v${plain(stats.version)}  up ${up}`;
  const right = `${view.line}  ${time}`;
  const space = Math.max(2, view.columns - left.length - right.length);
  const second = [
    `bots ${grouped(stats.botsOnline)} on ${grouped(off)} off`,
    `slots ${si(busy)}/${si(busy + stats.freeSlots)}`,
    `${si(stats.executionsPerSecond)} ex/s`,
    `new ${fresh} open ${open}`,
    `wait ${si(pending)}`,
    `find ${find}`,
    `hits ${si(stats.crashHits)}, ${si(stats.crashInputsKept)} kept`,
    ...(groups.length === 0 ? ['no crash yet'] : []),
  ];
  return [
    coloured('bold', fit(left + ' '.repeat(space) + right, view.columns)),
    parts(second, view.columns),
  ];
}

/** As many as fit, from the left. */
function parts(all: readonly string[], columns: number): string {
  let line = '';
  for (const one of all) {
    const next = line === '' ? one : `${line} | ${one}`;
    if (next.length > columns) break;
    line = next;
  }
  return line;
}

function problemLines(problems: readonly Problem[], view: View, room: number): string[] {
  const { columns, why } = view;
  if (problems.length === 0) return [coloured('green', 'nothing is wrong')];
  const most =
    view.rows === undefined ? problems.length : Math.min(mostProblems, Math.max(1, room - 2));
  const shown = problems.slice(0, most);
  const wide = Math.min(26, Math.max(...shown.map(({ object }) => plain(object).length)));
  const lines = shown.flatMap((problem) => {
    const { isBad, object, sentence, remedy, since } = problem;
    const mark = isBad ? 'x' : '^';
    const begun = since ? age(Date.now() - since.getTime()) : '';
    const room = columns - wide - begun.length - 6;
    const text = fit(plain(sentence), room).padEnd(room);
    const line = `${mark} ${cut(plain(object), wide).padEnd(wide)}  ${text}  ${begun}`.trimEnd();
    const mend =
      why && remedy !== '' ? [coloured('dim', fit(`    ${plain(remedy)}`, columns))] : [];
    return [coloured(isBad ? 'red' : 'yellow', line), ...mend];
  });
  const more = problems.length - shown.length;
  const title = coloured('bold', `WRONG (${problems.length})`);
  return [title, ...lines, ...(more > 0 ? [`  +${more} more`] : [])];
}

const healths: Readonly<Record<number, readonly [string, Colour]>> = {
  [Health.FINDING]: ['finding', 'green'],
  [Health.SLOWING]: ['slowing', 'yellow'],
  [Health.FLAT]: ['flat', 'yellow'],
  [Health.CANNOT_FUZZ]: ['cannot fuzz', 'red'],
  [Health.NO_BOTS]: ['no bots', 'red'],
  [Health.WAITING]: ['waiting', 'yellow'],
  [Health.PAUSED]: ['paused', 'dim'],
  [Health.ENDED]: ['ended', 'dim'],
};

function targetLines(state: TopState, view: View, room: number): string[] {
  const { columns, chosen, why } = view;
  const entries = sorted(entriesOf(state.targets), view.sort);
  if (entries.length === 0) {
    return ['', 'no target yet: pandafuzz campaign create NAME ./fuzzer --seeds ./corpus'];
  }
  const widths = widthsFor(columns);
  const hasCampaigns = entries.some(({ campaign }) => campaign !== undefined);
  const head = lineOf(hasCampaigns ? ' CAMPAIGN/TARGET' : ' TARGET', titles, widths);
  const most = Math.max(1, room - 2 - (why ? mostWhy : 0));
  const first = Math.max(0, Math.min(chosen - most + 1, entries.length - most));
  const shown = entries.slice(first, first + most);
  const lines = shown.flatMap((entry, index) => {
    const isChosen = view.keys !== undefined && first + index === chosen;
    const line = entryLine(entry, { state, view, widths, isChosen });
    const isTold = why && (isChosen || view.keys === undefined);
    return isTold ? [line, ...whyLines(entry, columns)] : [line];
  });
  const hidden = entries.length - shown.length;
  const more = state.areMore ? `+${hidden} more, and others` : `+${hidden} more`;
  return [
    coloured('bold', fit(head, columns)),
    ...lines,
    ...(hidden > 0 || state.areMore ? [`  ${more}`] : []),
  ];
}

interface Widths {
  readonly name: number;
  /** 0: there is no room for curves and runs. */
  readonly spark: number;
}

/** What stands behind a target's name; some of it is left out where there is no room. */
interface Cells {
  readonly health: string;
  readonly coverage: string;
  readonly spark: string;
  readonly find: string;
  readonly next: string;
  readonly speed: string;
  readonly runs: string;
  readonly fresh: string;
  readonly open: string;
}

const titles: Cells = {
  ...{
    health: 'HEALTH',
    coverage: 'COVERAGE',
    spark: '24H',
    find: 'FIND',
    next: '1H',
    speed: 'EXEC/S',
  },
  ...{ runs: 'RUNS', fresh: 'NEW', open: 'OPEN' },
};

/** All columns but name and curve, and the spaces between them. */
const otherColumns = 55;
const leastWithCurves = 76;
/** With a curve so wide there is room for the chance of a find, too. */
const wideSpark = 24;

function widthsFor(columns: number): Widths {
  if (columns < leastWithCurves) return { name: columns - otherColumns + 7, spark: 0 };
  const spark = columns >= 120 ? wideSpark : 8;
  const next = spark === wideSpark ? 5 : 0;
  return { name: Math.min(40, columns - otherColumns - spark - next), spark };
}

/** @param paint colours a cell, once it has its width */
function lineOf(
  name: string,
  cells: Cells,
  { name: nameWidth, spark: sparkWidth }: Widths,
  paint: (cell: keyof Cells, text: string) => string = (_, text) => text,
): string {
  const left = (cell: keyof Cells, width: number) => paint(cell, cells[cell].padEnd(width));
  const right = (cell: keyof Cells, width: number) => paint(cell, cells[cell].padStart(width));
  return [
    cut(name, nameWidth + 1).padEnd(nameWidth + 1),
    left('health', 11),
    right('coverage', 9),
    ...(sparkWidth > 0 ? [` ${left('spark', sparkWidth)}`] : []),
    right('find', 6),
    ...(sparkWidth >= wideSpark ? [right('next', 4)] : []),
    right('speed', 7),
    ...(sparkWidth > 0 ? [right('runs', 4)] : []),
    right('fresh', 4),
    right('open', 4),
  ].join(' ');
}

interface Row {
  readonly state: TopState;
  readonly view: View;
  readonly widths: Widths;
  readonly isChosen: boolean;
}

/** Lines below the one that is marked: its reason, and what a campaign may still find. */
const mostWhy = 5;
/** Of a forecast: what was found lately, and what may come. */
const shownSentences = 2;

function whyLines({ reason, campaign }: Entry, columns: number): string[] {
  const sentences = campaign?.forecast?.sentences.slice(0, shownSentences) ?? [];
  const lines = [reason, ...sentences].flatMap((one) => wrapped(plain(one), columns - 4));
  return lines.slice(0, mostWhy).map((one) => coloured('dim', fit(`    ${one}`, columns)));
}

function entryLine(entry: Entry, { state, view, widths, isChosen }: Row): string {
  const { target, name } = entry;
  const [health, colour] = healths[entry.health] ?? ['unknown', 'dim'];
  const [engine] = target.engines;
  const curve = (engine?.hours ?? []).map(({ coverage }) => coverage);
  const { lastFindAt } = target;
  const cells: Cells = {
    health,
    coverage: engine ? covered(engine.coverage) : '–',
    spark: spark(curve, { width: widths.spark, isUtf8: view.isUtf8 }),
    find: lastFindAt ? age(state.at.getTime() - lastFindAt.getTime()) : '–',
    next: chanceOf(entry),
    speed: si(entry.executionsPerSecond),
    runs: si(entry.running),
    fresh: si(target.newGroups),
    open: si(target.openGroups),
  };
  return lineOf(`${isChosen ? '>' : ' '}${plain(name)}`, cells, widths, (cell, text) => {
    if (cell === 'health') return coloured(colour, text);
    return cell === 'fresh' && target.newGroups > 0 ? coloured('magenta', text) : text;
  });
}

/** That a campaign finds something in its next hour; "<": at most so much. */
function chanceOf({ campaign }: Entry): string {
  const { isKnown = false, isBound, chance = 0, high = 0 } = campaign?.forecast ?? {};
  if (!isKnown) return '–';
  const said = isBound ? high : chance;
  const percent = Math.min(Math.max(Math.round(said * 100), 1), 99);
  return `${isBound || said < 0.01 ? '<' : ''}${percent}%`;
}

/** Whole, as long as it fits its column. */
const covered = (edges: number) => (edges < 10_000_000 ? grouped(edges) : si(edges));

function groupLines(groups: readonly CrashGroup[], at: Date, view: View): string[] {
  if (groups.length === 0) return [];
  const { columns } = view;
  const shown = groups.slice(0, mostGroups);
  const wide = Math.min(20, Math.max(...shown.map(({ targetName }) => plain(targetName).length)));
  const lines = shown.map((group) => {
    const isNew = groupStatus(group) === 'new' || groupStatus(group) === 'reopened';
    const seen = group.firstFoundAt ? age(at.getTime() - group.firstFoundAt.getTime()) : '–';
    const room = columns - wide - seen.length - 6;
    const title = cut(plain(titleOf(group)), room).padEnd(room);
    const line = `${isNew ? '*' : ' '} ${title}  ${cut(plain(group.targetName), wide).padEnd(wide)}  ${seen}`;
    return coloured(isNew ? 'magenta' : 'none', line);
  });
  return [coloured('bold', 'NEWEST GROUPS'), ...lines];
}

/** The beginning of a line, at most so wide. */
function fit(text: string, columns: number): string {
  const characters = [...text];
  return characters.length <= columns ? text : characters.slice(0, Math.max(0, columns)).join('');
}
