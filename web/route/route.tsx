import { computed, signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

/** Where the page is: everything that one would send to a colleague is in the address. */

interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const here = (): Place => ({
  path: location.pathname,
  query: new URLSearchParams(location.search),
});

export const place = signal(here());
/** The parts of the path: ["groups", "0198…"]. */
export const parts = computed(() =>
  place.value.path
    .split('/')
    .filter((part) => part !== '')
    .map(decoded),
);

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** A path of this page, each part as a part. */
export const pathOf = (...names: readonly string[]): string =>
  `/${names.map(encodeURIComponent).join('/')}`;

/** The present place with other parameters; empty ones are left out. */
export function withQuery(changes: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return place.value.path + (text === '' ? '' : `?${text}`);
}

/** Pages that came before, for the way back through a list. */
interface Past {
  readonly trail: readonly string[];
}

export const trail = signal<readonly string[]>(trailHere());

function trailHere(): readonly string[] {
  const past = history.state as Partial<Past> | null;
  return Array.isArray(past?.trail) ? past.trail : [];
}

/** Goes to an address of this page. @param replace no step for the way back */
export function go(href: string, { replace = false, past = [] as readonly string[] } = {}): void {
  const state: Past = { trail: past };
  if (replace) history.replaceState(state, '', href);
  else history.pushState(state, '', href);
  arrive();
  if (!replace) {
    scrollTo(0, 0);
    document.getElementById('content')?.focus({ preventScroll: true });
  }
}

function arrive(): void {
  place.value = here();
  trail.value = trailHere();
}

addEventListener('popstate', arrive);

interface LinkProps {
  to: string;
  past?: readonly string[];
  /** It leads to where the page is. */
  isHere?: boolean;
  children: ComponentChildren;
}

/** A link to another place in the page: a real one, which opens elsewhere as well. */
export function Link({ to, past, isHere = false, children }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    go(to, past ? { past } : {});
  };
  return (
    <a href={to} aria-current={isHere ? 'page' : undefined} onClick={follow}>
      {children}
    </a>
  );
}
