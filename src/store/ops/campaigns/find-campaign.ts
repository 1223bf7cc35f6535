import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import { readOperation } from '../../operation.js';
import { all, one, type Steps, statement } from '../../statement.js';

/** What people call a campaign. */
export interface CampaignNamed {
  /** Empty: any. */
  project: string;
  /** Its name, its id or the beginning of it. */
  text: string;
}

interface Found {
  id: string;
  project: string;
  name: string;
}

const live = statement<{ name: string; limit: number }, Found>(`
  SELECT id, project, name FROM fuzz_campaigns
  WHERE name = @name AND state <> 'archived' ORDER BY project LIMIT @limit`);
const liveIn = statement<{ name: string; project: string }, Found>(`
  SELECT id, project, name FROM fuzz_campaigns
  WHERE name = @name AND project = @project AND state <> 'archived'`);
const ever = statement<{ name: string; limit: number }, Found>(`
  SELECT id, project, name FROM fuzz_campaigns WHERE name = @name ORDER BY id DESC LIMIT @limit`);
const ids = statement<{ from: string; to: string; limit: number }, Found>(`
  SELECT id, project, name FROM fuzz_campaigns WHERE id >= @from AND id <= @to
  ORDER BY id LIMIT @limit`);

/** Of archived campaigns with the same name, so many are looked through for the project. */
const mostLooked = 100;
/** Named when it is not clear which one is meant. */
const mostShown = 5;
const beginsId = /^[0-9a-f]{8}[0-9a-f-]{0,28}$/;

/**
 * The id of the one campaign that is meant.
 *
 * @throws NotFoundError
 * @throws PreconditionError AMBIGUOUS
 */
export function* findCampaign(named: CampaignNamed): Steps<string> {
  const found = yield* candidates(named);
  const [first, second] = found;
  if (!first) throw new NotFoundError({ resource: 'campaign', id: named.text });
  if (!second) return first.id;
  const which = found.map(({ id, project, name }) => `${project}/${name} (${id})`).join(', ');
  const why = `${named.text} may mean ${which}: name the project, or give more of the id`;
  throw new PreconditionError({ reason: 'AMBIGUOUS', why });
}

function* candidates({ project, text: name }: CampaignNamed): Steps<Found[]> {
  if (project !== '') {
    const one_ = yield* one(liveIn, { name, project });
    if (one_) return [one_];
  } else {
    const some = yield* all(live, { name, limit: mostShown });
    if (some.length > 0) return some;
  }
  const isOf = (found: Found) => project === '' || found.project === project;
  const archived = (yield* all(ever, { name, limit: mostLooked })).find(isOf);
  if (archived) return [archived];
  if (!beginsId.test(name)) return [];
  const range = { from: name, to: `${name}~`, limit: mostShown };
  return (yield* all(ids, range)).filter(isOf);
}

/** As `findCampaign`, by itself. */
export const resolveCampaign = readOperation('resolve_campaign', findCampaign);
