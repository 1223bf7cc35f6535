import { call } from '../api/call.js';
import { titleOf } from '../format/states.js';
import type { CampaignEvent } from '../gen/pandafuzz/v1/campaign_service.js';
import { pathOf } from '../route/route.js';

/** A moment that explains a curve. */
export interface Mark {
  /** Seconds since 1970. */
  readonly at: number;
  /** build: a line; group: a dot on the axis; change: a tick, of what somebody did. */
  readonly kind: 'build' | 'group' | 'change';
  readonly text: string;
  /** Address of its page. */
  readonly to?: string;
}

/** A time in which nothing was to run; it may last. */
export interface Band {
  readonly from: number;
  readonly to: number;
}

/** Groups of one window that are marked: the newest. */
const mostGroups = 100;

const secondsOf = (time: string | undefined): number => Date.parse(time ?? '') / 1000;

/** New builds of a target, and groups that were met for the first time, since `first` (seconds). */
export async function readMarks(
  { project, name }: { readonly project: string; readonly name: string },
  first: number,
  abort: AbortSignal,
): Promise<Mark[]> {
  const newSince = new Date(first * 1000).toISOString();
  const filter = { project, targetName: name, newSince, pageSize: mostGroups };
  const target = { project, targetName: name };
  const [{ groups = [] }, { builds = [] }] = await Promise.all([
    call('CrashService', 'ListCrashGroups', filter, abort),
    call('TargetService', 'GetTarget', target, abort),
  ]);
  return [
    ...groups.map((group) => ({
      at: secondsOf(group.firstFoundAt),
      kind: 'group' as const,
      text: titleOf(group),
      to: pathOf('groups', group.id ?? ''),
    })),
    ...builds.map(({ targetSha256 = '', engine = '', registeredAt }) => ({
      at: secondsOf(registeredAt),
      kind: 'build' as const,
      text: `${targetSha256.slice(0, 8)}, ${engine}`,
    })),
  ];
}

/** Events that are not marked: crashes have marks of their own. */
const passedOver: ReadonlySet<string> = new Set(['crash']);

/** What happened to a campaign. */
export const marksOfEvents = (events: readonly CampaignEvent[]): Mark[] =>
  events.flatMap(({ time, kind = '', text }) =>
    passedOver.has(kind)
      ? []
      : [{ at: secondsOf(time), kind: 'change' as const, text: text ? `${kind}: ${text}` : kind }],
  );

/** Times in which a campaign was paused. @param now seconds */
export function pausesOf(events: readonly CampaignEvent[], now: number): Band[] {
  const inOrder = [...events].sort((a, b) => secondsOf(a.time) - secondsOf(b.time));
  const bands: Band[] = [];
  let from: number | undefined;
  for (const { kind, time } of inOrder) {
    if (kind === 'paused') from ??= secondsOf(time);
    else if (from !== undefined && (kind === 'resumed' || kind === 'archived')) {
      bands.push({ from, to: secondsOf(time) });
      from = undefined;
    }
  }
  return from === undefined ? bands : [...bands, { from, to: now }];
}

/** Marks that are nearer than this are drawn as one with their number, pixels. */
const nearPixels = 12;

export interface DrawnMark {
  readonly x: number;
  readonly kind: Mark['kind'];
  readonly marks: readonly Mark[];
}

/** Of each kind by itself, from left to right. @param xOf where a time is, pixels */
export function joined(marks: readonly Mark[], xOf: (at: number) => number): DrawnMark[] {
  return (['build', 'change', 'group'] as const).flatMap((kind) => {
    const drawn: DrawnMark[] = [];
    const ofKind = marks.filter((mark) => mark.kind === kind).sort((a, b) => a.at - b.at);
    for (const mark of ofKind) {
      const x = xOf(mark.at);
      const last = drawn.at(-1);
      if (last && x - last.x < nearPixels) {
        drawn[drawn.length - 1] = { ...last, marks: [...last.marks, mark] };
      } else drawn.push({ x, kind, marks: [mark] });
    }
    return drawn;
  });
}
