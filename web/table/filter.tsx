import { useState } from 'preact/hooks';
import { go, place, withQuery } from '../route/route.js';

/** Filters stand in the address; each that is set is a chip, which takes it away. */

interface ChoiceProps {
  name: string;
  label: string;
  /** Value in the address, and its word. */
  choices: readonly (readonly [value: string, word: string])[];
}

export const filterOf = (name: string): string => place.value.query.get(name) ?? '';

const set = (name: string, value: string) => go(withQuery({ [name]: value, after: '' }));

export function Choice({ name, label, choices }: ChoiceProps) {
  return (
    <label class="filter">
      {label}{' '}
      <select value={filterOf(name)} onChange={(event) => set(name, event.currentTarget.value)}>
        {choices.map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
}

export function TextFilter({
  name,
  label,
  most = 256,
}: {
  name: string;
  label: string;
  most?: number;
}) {
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const submit = (event: Event) => {
    event.preventDefault();
    if (typed !== undefined) set(name, typed.trim());
    setTyped(undefined);
  };
  return (
    <form class="filter" onSubmit={submit}>
      <label>
        {label}{' '}
        <input
          type="search"
          data-filter={name}
          maxLength={most}
          value={typed ?? filterOf(name)}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
    </form>
  );
}

/** What is set, and parameters that this page does not know. */
export function Chips({ known }: { known: Readonly<Record<string, string>> }) {
  const all = [...place.value.query].filter(([name]) => name !== 'after');
  const isKnown = ([name]: readonly [string, string]) => Object.hasOwn(known, name);
  const unknown = all.filter((one) => !isKnown(one));
  return (
    <p class="chips">
      {all.filter(isKnown).map(([name, value]) => (
        <button key={name} type="button" class="chip still" onClick={() => set(name, '')}>
          {known[name]}: {value.slice(0, 80)} <span aria-hidden="true">✕</span>
          <span class="unseen">, take away</span>
        </button>
      ))}
      {unknown.length > 0 && (
        <span class="muted">
          This page does not know: {unknown.map(([name]) => name.slice(0, 40)).join(', ')}
        </span>
      )}
    </p>
  );
}
