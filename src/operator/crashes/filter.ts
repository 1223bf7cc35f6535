import { UserError } from '../../core/errors.js';
import { CrashGroupStatus } from '../../gen/pandafuzz/v1/crash.js';
import type { ListCrashGroupsRequest } from '../../gen/pandafuzz/v1/crash_service.js';
import { groupStatusOf } from '../words.js';

/** Which groups, as the options of a command name them. */
export interface GroupFlags {
  readonly project?: string;
  readonly target?: string;
  readonly kind?: string;
  readonly status?: string;
  readonly since?: Date;
  readonly new?: boolean;
  readonly text?: string;
}

export type GroupFilter = Partial<Omit<ListCrashGroupsRequest, 'pageSize' | 'pageToken'>>;

/** EX_USAGE of sysexits.h. */
const usage = 64;

/**
 * `--new` means those that were first met since `--since`; without it, those that nobody has
 * looked at.
 *
 * @throws UserError for options that exclude each other
 */
export function groupFilter(flags: GroupFlags): GroupFilter {
  const { project = '', target = '', kind = '', status, since, text = '' } = flags;
  const isNewSince = flags.new === true && since !== undefined;
  const isUntouched = flags.new === true && since === undefined;
  if (isUntouched && status !== undefined && status !== 'new') {
    throw new UserError(
      `--new alone means --status new: give --since with it, or --status alone`,
      usage,
    );
  }
  return {
    project,
    targetName: target,
    kind,
    text,
    status: isUntouched ? CrashGroupStatus.NEW : statusOf(status),
    ...(since && (isNewSince ? { newSince: since } : { since })),
  };
}

const statusOf = (status: string | undefined) =>
  (status === undefined ? undefined : groupStatusOf(status)) ?? CrashGroupStatus.UNSPECIFIED;

/** Whether it lets every group through. */
export const isOpen = (flags: GroupFlags): boolean =>
  [flags.project, flags.target, flags.kind, flags.status, flags.since, flags.new, flags.text].every(
    (one) => one === undefined,
  );
