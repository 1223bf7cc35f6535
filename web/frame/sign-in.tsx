import { useState } from 'preact/hooks';
import { wake } from '../api/line.js';
import { refusal, signIn } from '../api/session.js';
import { Text } from '../text/text.js';

/** Shown instead of the page while the master wants a token; the address stays. */
export function SignIn() {
  const [text, setText] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    signIn(text.trim());
    wake();
  };
  return (
    <main id="content" class="sign-in" tabIndex={-1}>
      <h1>Sign in</h1>
      <p>This master takes calls with a token only. A viewer's token is enough to look.</p>
      {refusal.value !== '' && (
        <p class="failure" role="alert">
          <Text of={refusal.value} />
        </p>
      )}
      <form onSubmit={submit}>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
      <p class="muted">
        An admin makes one with <code>pandafuzz token create NAME --role viewer</code>. It is kept
        until this tab is closed.
      </p>
    </main>
  );
}
