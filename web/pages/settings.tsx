import { useState } from 'preact/hooks';

/** Of this browser alone; none of it is data of the master. */

function read(name: string): string {
  try {
    return localStorage.getItem(name) ?? '';
  } catch {
    return '';
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Without storage it holds until the page is loaded again.
  }
}

/** Who sets status and notes, where the master knows no names of callers. */
export const ownName = (): string => read('name').slice(0, 128);

export function SettingsPage() {
  const [theme, setTheme] = useState(read('theme'));
  const [name, setName] = useState(read('name'));
  const [keys, setKeys] = useState(read('keys') !== 'off');
  const choose = (next: string) => {
    setTheme(next);
    write('theme', next);
    document.documentElement.className = next;
  };
  return (
    <>
      <h1>Settings</h1>
      <p class="muted">Of this browser alone.</p>
      <div class="form">
        <label>
          Theme{' '}
          <select value={theme} onChange={(event) => choose(event.currentTarget.value)}>
            <option value="">as the system has it</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
        <label>
          Your name, for status and notes{' '}
          <input
            maxLength={128}
            value={name}
            onInput={(event) => {
              setName(event.currentTarget.value);
              write('name', event.currentTarget.value);
            }}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={keys}
            onChange={(event) => {
              setKeys(event.currentTarget.checked);
              write('keys', event.currentTarget.checked ? '' : 'off');
            }}
          />{' '}
          Single keys work (? shows them)
        </label>
      </div>
    </>
  );
}
