import { useEffect, useRef } from 'preact/hooks';
import { isPaused, wake } from '../api/line.js';
import { go } from '../route/route.js';

/** Keys: the table below is also their help. No key changes anything at the master. */

const places: Readonly<Record<string, string>> = {
  ...{ o: '/', c: '/campaigns', g: '/groups', b: '/bots', j: '/jobs' },
  ...{ k: '/corpora', e: '/events', s: '/system' },
};

const help: readonly (readonly [keys: string, what: string])[] = [
  ['?', 'these keys'],
  ['/', 'the first filter of this page'],
  ['f', 'find by id'],
  ['p', 'pause: what is shown stays as it is'],
  ['n', 'show new rows'],
  ['[ ]', 'previous and next page'],
  ['j k', 'next and previous row; Enter opens it'],
  ['g, then o c g b j k e s', 'overview, campaigns, groups, bots, jobs, corpora, events, system'],
];

const list = (detail: string) => dispatchEvent(new CustomEvent('list', { detail }));

function move(step: number): void {
  const links = [...document.querySelectorAll<HTMLElement>('tbody th a')];
  const at = links.indexOf(document.activeElement as HTMLElement);
  links[at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
}

const keys: Readonly<Record<string, () => void>> = {
  '/': () => document.querySelector<HTMLElement>('[data-filter], .filter select')?.focus(),
  f: () => document.getElementById('find')?.focus(),
  p: () => {
    isPaused.value = !isPaused.value;
    if (!isPaused.value) wake();
  },
  n: () => list('new'),
  '[': () => list('previous'),
  ']': () => list('next'),
  j: () => move(1),
  k: () => move(-1),
};

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.closest('input, textarea, select, dialog') !== null;

export function areKeysOn(): boolean {
  try {
    return localStorage.getItem('keys') !== 'off';
  } catch {
    return true;
  }
}

export function Keys() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    let isGoing = false;
    const on = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (!areKeysOn()) return;
      const to = isGoing ? places[event.key] : undefined;
      isGoing = event.key === 'g' && !isGoing;
      if (to !== undefined) go(to);
      else if (event.key === '?') dialog.current?.showModal();
      else if (keys[event.key]) keys[event.key]?.();
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', on);
    return () => removeEventListener('keydown', on);
  }, []);
  return (
    <dialog ref={dialog} aria-label="Keys">
      <h2>Keys</h2>
      <dl class="facts">
        {help.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}
