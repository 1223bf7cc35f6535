import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import type { CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { CrashGroupStatus } from '../../gen/pandafuzz/v1/crash.js';
import type {
  GetCrashGroupResponse,
  ListCrashGroupsRequest,
  SetCrashGroupStatusRequest,
} from '../../gen/pandafuzz/v1/crash_service.js';
import { getCrashGroup } from '../../store/ops/crashes/get-crash-group.js';
import { listCrashGroups } from '../../store/ops/crashes/list-crash-groups.js';
import { setGroupStatus } from '../../store/ops/crashes/set-group-status.js';
import type { Store } from '../../store/store.js';
import { crashGroupRecord, groupBuildRecord, groupStatusName } from '../messages/crash-records.js';
import { pageTokenAfter, readPage } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';

const shownSimilar = 5;
const shownBuilds = 16;
const longestNoteBytes = 4096;
export const longestName = 128;
const longestFilter = 256;

/** Groups of crashes, and what people make of them. */
export class CrashGroups {
  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
  ) {}

  /** @throws ValidationError, NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<GetCrashGroupResponse> {
    new Violations().id(id, 'group_id').throwIfAny();
    const input = { id, similar: shownSimilar, builds: shownBuilds };
    const { group, similar, builds } = await this.store.run(ctx, getCrashGroup, input);
    return {
      group: crashGroupRecord(group),
      similar: similar.map(crashGroupRecord),
      builds: builds.map(groupBuildRecord),
    };
  }

  /** @throws ValidationError */
  async list(
    ctx: RequestContext,
    request: ListCrashGroupsRequest,
  ): Promise<{ groups: CrashGroup[]; nextPageToken: string }> {
    const found = new Violations();
    const { project, targetName, kind, text } = request;
    found
      .text(project, 'project', { max: 64 })
      .text(targetName, 'target_name', { max: longestName })
      .text(kind, 'kind', { max: longestName })
      .text(text, 'text', { max: longestFilter });
    const status = checkStatus(request.status, found);
    const page = readPage(request, found);
    const filter = {
      project,
      targetName,
      kind,
      status,
      text: text.toLowerCase(),
      since: request.since?.getTime(),
      newSince: request.newSince?.getTime(),
    };
    const read = await this.store.run(ctx, listCrashGroups, {
      filter,
      beforeId: page.beforeId,
      limit: page.limit - 1,
    });
    return {
      groups: read.groups.map(crashGroupRecord),
      nextPageToken: read.isEnd || !read.lastId ? '' : pageTokenAfter(read.lastId),
    };
  }

  /** @throws ValidationError, NotFoundError, PreconditionError MERGED */
  async setStatus(ctx: RequestContext, request: SetCrashGroupStatusRequest): Promise<CrashGroup> {
    const { groupId, note, by, fixedInSha256 } = request;
    const found = new Violations().id(groupId, 'group_id').text(by, 'by', { max: longestName });
    const status = checkStatus(request.status, found) ?? null;
    found
      .expect(
        note === undefined || (Buffer.byteLength(note) <= longestNoteBytes && note.isWellFormed()),
        'note',
        `must be at most ${longestNoteBytes} bytes of well-formed text`,
      )
      .expect(status !== null || note !== undefined, 'status', 'must be given, or a note')
      .expect(
        fixedInSha256 === '' || status === 'fixed',
        'fixed_in_sha256',
        'goes with the status FIXED alone',
      );
    if (fixedInSha256 !== '') found.sha256(fixedInSha256, 'fixed_in_sha256');
    found.throwIfAny();
    const row = await this.store.run(ctx, setGroupStatus, {
      groupId,
      status,
      note: note?.replaceAll('\0', '\ufffd') ?? null,
      by,
      fixedIn: fixedInSha256 || null,
      now: this.clock.now(),
    });
    return crashGroupRecord(row);
  }
}

/** @returns undefined for UNSPECIFIED; one that does not exist is noted in `found` */
function checkStatus(status: CrashGroupStatus, found: Violations) {
  const name = groupStatusName(status);
  const isFine = name !== undefined || status === CrashGroupStatus.UNSPECIFIED;
  found.expect(isFine, 'status', 'must be a status of crash groups');
  return name;
}
