import { useState } from 'preact/hooks';
import { failureOf } from '../api/failure.js';
import { wake } from '../api/line.js';
import { refusal, signIn } from '../api/session.js';
import { Text } from '../text/text.js';

/** Shown instead of the page while the master wants a token; the address stays. */
export function SignIn() {
  const [text, setText] = useState('');
  const [isUnderWay, setUnderWay] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (text.trim() === '' || isUnderWay) return;
    setUnderWay(true);
    refusal.value = '';
    try {
      await signIn(text.trim());
      wake();
    } catch (error) {
      refusal.value = failureOf(error).message;
    } finally {
      setUnderWay(false);
      setText('');
    }
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
        <button type="submit" class="primary" aria-disabled={isUnderWay}>
          Sign in
        </button>
      </form>
      <p class="muted">
        An admin makes one with <code>pandafuzz token create NAME --role viewer</code>. The page
        does not keep it: the master gives this browser a session, which ends when it is not used
        for long, or when you sign out.
      </p>
    </main>
  );
}
