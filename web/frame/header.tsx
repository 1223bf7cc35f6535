import { useEffect, useState } from 'preact/hooks';
import { useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { failureOf } from '../api/failure.js';
import { askEveryMs, masterNow } from '../api/line.js';
import { signOut } from '../api/session.js';
import { utc } from '../format/figures.js';
import { word } from '../format/states.js';
import { go, Link, parts } from '../route/route.js';
import { Name } from '../text/text.js';
import { notice } from './actions.js';
import { Badge } from './badge.js';
import { caller } from './rights.js';

const main = [
  ['', 'Overview'],
  ['campaigns', 'Campaigns'],
  ['groups', 'Groups'],
  ['bots', 'Bots'],
  ['jobs', 'Jobs'],
] as const;
const more = [
  ['corpora', 'Corpora'],
  ['events', 'Events'],
  ['system', 'System'],
  ['settings', 'Settings'],
] as const;

/**
 * Who one is does not change often; the question also finds out whether the master answers, on
 * pages that ask nothing else as well: before the badge takes what is shown for old.
 */
const askWhoEveryMs = 2 * askEveryMs;

export function Header() {
  const { value: who } = useAsk(
    'caller',
    (signal) => call('IdentityService', 'GetCaller', {}, signal),
    askWhoEveryMs,
  );
  useEffect(() => {
    if (who) caller.value = who;
  }, [who]);
  useEffect(
    () => () => {
      caller.value = undefined;
    },
    [],
  );
  const me = who?.token;
  return (
    <header>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <strong class="brand">PandaFuzz</strong>
      <nav aria-label="Pages" class="main">
        {main.map(NavLink)}
      </nav>
      <nav aria-label="More pages" class="more">
        {more.map(NavLink)}
      </nav>
      <Find />
      <Badge />
      <span class="clock muted">{utc(masterNow()).slice(11)}</span>
      {me?.name && (
        <span class="muted">
          <Name of={me.name} most={16} /> ({word(me.role, 'ROLE_')})
        </span>
      )}
      {me && (
        <button type="button" onClick={leave}>
          Sign out
        </button>
      )}
    </header>
  );
}

/** The session ends at the master first: until then it is not over. */
async function leave(): Promise<void> {
  try {
    await signOut();
    notice.value = undefined;
  } catch (error) {
    notice.value = { text: `You are still signed in: ${failureOf(error).message}`, isBad: true };
  }
}

function NavLink([name, title]: readonly [string, string]) {
  const isHere = (parts.value[0] ?? '') === name;
  return (
    <Link key={name} to={`/${name}`} isHere={isHere}>
      {title}
    </Link>
  );
}

function Find() {
  const [text, setText] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim() !== '') go(`/find?q=${encodeURIComponent(text.trim())}`);
  };
  return (
    <search>
      <form onSubmit={submit}>
        <input
          id="find"
          type="search"
          aria-label="Find by id"
          placeholder="find by id (f)"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </form>
    </search>
  );
}
