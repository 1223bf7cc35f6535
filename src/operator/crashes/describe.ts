import { posix } from 'node:path';
import { endOf } from '../../core/replay.js';
import type { Crash, CrashGroup, Reproduction, StackFrame } from '../../gen/pandafuzz/v1/crash.js';
import { ago, bytes, clockTime, count } from '../format.js';
import { groupStatus, or } from '../words.js';
import type { Dossier } from './dossier.js';
import { lineOf } from './look-alikes.js';

/** What is known of a group and of a crash, as names and values: for every form of report. */

export type Facts = readonly (readonly [name: string, value: string])[];

/** "heap-buffer-overflow in parse_header (png.c:41)" */
export function titleOf({ kind, topFrame, message, frames }: CrashGroup): string {
  const place = lineOf(frames[0]);
  if (topFrame === 'unknown' || topFrame === '')
    return message === '' ? kind : `${kind}: ${message}`;
  return `${kind} in ${topFrame}${place === '' || topFrame.includes(place) ? '' : ` (${place})`}`;
}

export function groupFacts({ group, crash }: Dossier, now: number): Facts {
  return [
    ['group', group.id],
    ['status', statusOf(group, now)],
    ...present('note', group.note),
    ['kind', group.kind],
    ...present('message', group.message),
    ['security', securityOf(crash)],
    ...present('access', accessOf(crash)),
    ['target', `${group.targetName} (project ${group.project || 'default'})`],
    ['hits', count(group.crashHits)],
    ['kept', count(group.crashInputsKept)],
    [
      'met by',
      `${many(group.jobs, 'job')} on ${many(group.bots, 'bot')}, in ${many(group.builds, 'build')}`,
    ],
    ['first met', moment(group.firstFoundAt, now)],
    ['last met', moment(group.lastFoundAt, now)],
    ...present('fixed in', group.fixedInSha256),
  ];
}

export function crashFacts(crash: Crash, now: number): Facts {
  const { context } = crash;
  const late = crash.late ? ' (under a lease no longer valid)' : '';
  const executions = context?.executions ? `after ${count(context.executions)} executions` : '';
  const ended = [endOf(context), executions, context?.replayed ? 'run again alone' : ''];
  const engine = [context?.engine, context?.engineVersion].filter(Boolean).join(', ');
  return [
    ['crash', crash.id],
    ['input', bytes(crash.inputSizeBytes)],
    ['its SHA-256', crash.inputSha256],
    ...present('smaller than', crash.minimisedFrom),
    ['job', `${crash.jobId} (attempt ${crash.attempt})`],
    ['bot', or(crash.botId)],
    ...present('build', context?.targetSha256),
    ...present('engine', engine),
    ...present('ended with', ended.filter((text) => text !== '').join(', ')),
    ['found', moment(crash.foundAt, now) + late],
    ['reproduced', reproducedOf(crash.reproductions, now)],
  ];
}

const moment = (time: Date | undefined, now: number) =>
  `${clockTime(time, now)} (${ago(time, now)})`;

const present = (name: string, value: string | undefined): [string, string][] =>
  value ? [[name, value]] : [];

/** "1 job", "3 jobs" */
export const many = (figure: number, one: string, several = `${one}s`): string =>
  `${count(figure)} ${figure === 1 ? one : several}`;

function statusOf(group: CrashGroup, now: number): string {
  const { reopenedAt, statusSetAt, statusSetBy } = group;
  const status = groupStatus(group);
  if (status === 'reopened') return `new again, since ${ago(reopenedAt, now)}: it was fixed before`;
  if (!statusSetAt) return status;
  return `${status}, set ${ago(statusSetAt, now)} by ${statusSetBy || 'an unnamed person'}`;
}

export const securityOf = ({ security, securityWhy }: Crash): string =>
  `${security ? 'yes' : 'no'}${securityWhy === '' ? '' : `, ${securityWhy}`}`;

/** "write of 4 bytes, near null" */
export function accessOf({ access, accessSizeBytes, address }: Crash): string {
  const size = accessSizeBytes === 0 ? '' : ` of ${many(accessSizeBytes, 'byte')}`;
  const kind = access === '' ? '' : `${access}${size}`;
  return [kind, address.replaceAll('-', ' ')].filter((text) => text !== '').join(', ');
}

/** "3 of 5, flaky, 2 min ago"; the newest first. */
function reproducedOf(reproductions: readonly Reproduction[], now: number): string {
  if (reproductions.length === 0) return 'not tried';
  return reproductions
    .map(({ runs, crashes, at, targetSha256, botId }) => {
      const outcome = `${crashes} of ${runs}${crashes > 0 && crashes < runs ? ' (flaky)' : ''}`;
      return `${outcome}, ${ago(at, now)}, build ${targetSha256.slice(0, 16)}, bot ${botId}`;
    })
    .join('\n');
}

const mostFrames = 40;

/** A line a frame, own ones marked; where a report had no stack, the functions that are known. */
export function stackLines(crash: Crash): string[] {
  const { stack, frames } = crash;
  if (stack.length === 0) return frames.map((name, depth) => `* #${depth} ${name}`);
  const lines = stack.slice(0, mostFrames).map((frame, depth) => {
    const line = `${frame.own ? '*' : ' '} #${depth} ${frameName(frame)}`;
    if (frame.file === '') return line;
    return `${line}  ${posix.normalize(frame.file)}${frame.line > 0 ? `:${frame.line}` : ''}`;
  });
  const rest = stack.length - mostFrames;
  return rest > 0 ? [...lines, `  … and ${rest} more, which --json has`] : lines;
}

function frameName({ function: name, module, offset }: StackFrame): string {
  return name || `${module || 'unknown'}${offset > 0 ? `+0x${offset.toString(16)}` : ''}`;
}
