import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import type { CrashDecision } from '../../gen/pandafuzz/v1/crash.js';
import type {
  ListCrashDecisionsRequest,
  MergeCrashGroupsRequest,
  MergeCrashGroupsResponse,
  SplitCrashGroupRequest,
  SplitCrashGroupResponse,
  UndoCrashDecisionRequest,
} from '../../gen/pandafuzz/v1/crash_service.js';
import { listDecisions } from '../../store/ops/crashes/list-decisions.js';
import { mergeGroups } from '../../store/ops/crashes/merge-groups.js';
import { splitGroup } from '../../store/ops/crashes/split-group.js';
import { undoDecision } from '../../store/ops/crashes/undo-decision.js';
import type { Store } from '../../store/store.js';
import { isProject, projectProblem } from '../messages/checks.js';
import { crashDecisionRecord, crashGroupRecord } from '../messages/crash-records.js';
import { cutPage, readPage } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';
import { longestName } from './groups.js';
import type { Regrouping } from './regrouping.js';

const mostGroups = 100;
const mostCrashes = 1000;

export interface DecisionsParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly regrouping: Regrouping;
}

/**
 * What people decide over groups. A decision waits for a regrouping under way, which
 * would not know of it.
 */
export class CrashDecisions {
  constructor(private readonly parts: DecisionsParts) {}

  /** @throws ValidationError, NotFoundError, PreconditionError MERGED, OTHER_TARGET */
  async merge(
    ctx: RequestContext,
    request: MergeCrashGroupsRequest,
  ): Promise<MergeCrashGroupsResponse> {
    const { groupIds, intoGroupId, by } = request;
    const found = new Violations().id(intoGroupId, 'into_group_id');
    checkIds(groupIds, 'group_ids', mostGroups, found);
    found
      .expect(!groupIds.includes(intoGroupId), 'group_ids', 'must not name the group that stays')
      .text(by, 'by', { max: longestName })
      .throwIfAny();
    await this.parts.regrouping.idle(ctx.signal);
    const { store, clock, newId } = this.parts;
    const groups = groupIds.map((groupId) => ({ groupId, decisionId: newId() }));
    const input = { groups, intoGroupId, by, now: clock.now() };
    const { group, decisions } = await store.run(ctx, mergeGroups, input);
    return { group: crashGroupRecord(group), decisions: decisions.map(crashDecisionRecord) };
  }

  /** @throws ValidationError, NotFoundError, PreconditionError MERGED, NOT_IN_GROUP, WHOLE_GROUP */
  async split(
    ctx: RequestContext,
    request: SplitCrashGroupRequest,
  ): Promise<SplitCrashGroupResponse> {
    const { groupId, crashIds, by } = request;
    const found = new Violations().id(groupId, 'group_id');
    checkIds(crashIds, 'crash_ids', mostCrashes, found);
    found.text(by, 'by', { max: longestName }).throwIfAny();
    await this.parts.regrouping.idle(ctx.signal);
    const { store, clock, newId } = this.parts;
    const ids = { newGroupId: newId(), decisionId: newId() };
    const input = { groupId, crashIds: [...crashIds].sort(), ...ids, by, now: clock.now() };
    const { group, decision } = await store.run(ctx, splitGroup, input);
    return { group: crashGroupRecord(group), decision: crashDecisionRecord(decision) };
  }

  /** @throws ValidationError, NotFoundError, PreconditionError UNDONE, LATER_DECISION */
  async undo(ctx: RequestContext, request: UndoCrashDecisionRequest): Promise<CrashDecision> {
    const { decisionId: id, by } = request;
    new Violations().id(id, 'decision_id').text(by, 'by', { max: longestName }).throwIfAny();
    await this.parts.regrouping.idle(ctx.signal);
    const { store, clock } = this.parts;
    return crashDecisionRecord(await store.run(ctx, undoDecision, { id, by, now: clock.now() }));
  }

  /** @throws ValidationError */
  async list(
    ctx: RequestContext,
    request: ListCrashDecisionsRequest,
  ): Promise<{ decisions: CrashDecision[]; nextPageToken: string }> {
    const { groupId, project = '' } = request;
    const found = new Violations().expect(isProject(project), 'project', projectProblem);
    if (groupId !== '') found.id(groupId, 'group_id');
    const page = readPage(request, found);
    const rows = await this.parts.store.run(ctx, listDecisions, { ...page, groupId, project });
    const cut = cutPage(rows, page.limit);
    return { decisions: cut.rows.map(crashDecisionRecord), nextPageToken: cut.nextPageToken };
  }
}

function checkIds(ids: readonly string[], path: string, most: number, found: Violations): void {
  found
    .expect(ids.length >= 1 && ids.length <= most, path, `must be 1 to ${most}`)
    .expect(new Set(ids).size === ids.length, path, 'must name each once');
  for (const [index, id] of ids.slice(0, most).entries()) found.id(id, `${path}[${index}]`);
}
