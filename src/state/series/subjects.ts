import type { RunKey } from '../../store/ops/series/run-sums.js';
import type { LiveLease } from '../leases/leases.js';

/** Whose figures are kept over time; a subject is a kind and a name, as one text. */

export type SubjectKind = 'fleet' | 'project' | 'target' | 'campaign' | 'bot' | 'job';

export interface CurveName {
  readonly kind: SubjectKind;
  readonly subject: string;
  /** Empty: of all engines. */
  readonly engine: string;
}

export const fleet = 'fleet';

export const subjectOf = (kind: Exclude<SubjectKind, 'fleet'>, name: string): string =>
  `${kind} ${name}`;

/** Names of projects have no slash. */
export const targetSubject = (project: string, name: string): string =>
  subjectOf('target', `${project}/${name}`);

/** The curves that a run is part of. Those with coverage are kept apart by engine. */
export function curvesOf({ jobId, botId, campaign, target }: LiveLease): CurveName[] {
  const engine = target?.engine ?? '';
  return [
    { kind: 'fleet', subject: fleet, engine: '' },
    { kind: 'job', subject: subjectOf('job', jobId), engine },
    { kind: 'bot', subject: subjectOf('bot', botId), engine: '' },
    { kind: 'campaign', subject: subjectOf('campaign', campaign), engine: '' },
    ...(target ? curvesOfTarget(target) : []),
  ];
}

const curvesOfTarget = ({
  project,
  name,
  engine,
}: NonNullable<LiveLease['target']>): CurveName[] => [
  { kind: 'project', subject: subjectOf('project', project), engine: '' },
  { kind: 'target', subject: targetSubject(project, name), engine },
];

/** Whether the figures of coverage and corpus of all its runs have one meaning. */
export const hasCoverage = (kind: SubjectKind): boolean => kind === 'target' || kind === 'job';

/** Whose sum of /metrics a run is part of. */
export const runKeyOf = ({ campaign, target }: LiveLease): RunKey => ({
  project: target?.project ?? '',
  targetName: target?.name ?? '',
  campaign,
  engine: target?.engine ?? '',
});
