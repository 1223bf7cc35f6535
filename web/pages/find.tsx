import { useEffect } from 'preact/hooks';
import { useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { Panel } from '../frame/panel.js';
import { go, Link, pathOf, place } from '../route/route.js';
import { Text } from '../text/text.js';

const pages: Readonly<Record<string, string>> = {
  bot: 'bots',
  job: 'jobs',
  'crash group': 'groups',
};

/** Ids by their beginning; one that is unique leads to its page at once. */
export function FindPage() {
  const prefix = (place.value.query.get('q') ?? '').toLowerCase().slice(0, 36);
  const answer = useAsk(`find ${prefix}`, (signal) => find(prefix, signal));
  const found = answer.value ?? [];
  const only = found.length === 1 ? found[0] : undefined;
  useEffect(() => {
    if (only) go(only.path, { replace: true });
  }, [only?.path]);
  return (
    <>
      <h1>Find</h1>
      <Panel title="Ids" of={answer}>
        {found.length === 0 ? (
          <p class="empty">
            No id begins with “<Text of={prefix} />
            ”.
          </p>
        ) : (
          <ul>
            {found.map(({ id, resource, path }) => (
              <li key={id}>
                {resource} <Link to={path}>{id}</Link>
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </>
  );
}

async function find(prefix: string, abort: AbortSignal) {
  if (prefix === '') return [];
  const { found } = await call('SystemService', 'FindIds', { resources: [], prefix }, abort);
  const all = (found ?? []).map(async ({ id = '', resource = '' }) => {
    const page = pages[resource];
    if (page) return [{ id, resource, path: pathOf(page, id) }];
    if (resource !== 'crash') return [];
    const { crash } = await call('CrashService', 'GetCrash', { crashId: id }, abort);
    return [{ id, resource, path: pathOf('groups', crash?.groupId ?? '') }];
  });
  return (await Promise.all(all)).flat();
}
