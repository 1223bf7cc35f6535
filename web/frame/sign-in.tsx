import { useEffect, useState } from 'preact/hooks';
import { failureOf } from '../api/failure.js';
import { wake } from '../api/line.js';
import { goToProvider, providerHost } from '../api/provider.js';
import { refusal, signIn } from '../api/session.js';
import { Text } from '../text/text.js';

/** Shown instead of the page while the master wants a token; the address stays. */
export function SignIn() {
  const [text, setText] = useState('');
  const [isUnderWay, setUnderWay] = useState(false);
  const [host, setHost] = useState('');
  useEffect(() => {
    providerHost().then(setHost);
  }, []);
  const attempt = async (work: () => Promise<void>) => {
    if (isUnderWay) return;
    setUnderWay(true);
    refusal.value = '';
    try {
      await work();
    } catch (error) {
      refusal.value = failureOf(error).message;
    } finally {
      setUnderWay(false);
      setText('');
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    attempt(async () => {
      await signIn(text.trim());
      wake();
    });
  };
  return (
    <main id="content" class="sign-in" tabIndex={-1}>
      <h1>Sign in</h1>
      {host === '' ? (
        <p>This master takes calls with a token only. A viewer's token is enough to look.</p>
      ) : (
        <p>This master shows itself to those who sign in, or have a token.</p>
      )}
      {refusal.value !== '' && (
        <p class="failure" role="alert">
          <Text of={refusal.value} />
        </p>
      )}
      {host !== '' && (
        <p>
          <button
            type="button"
            class="primary"
            aria-disabled={isUnderWay}
            onClick={() => attempt(goToProvider)}
          >
            Sign in with <Text of={host} most={64} />
          </button>
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
        <button type="submit" class={host === '' ? 'primary' : ''} aria-disabled={isUnderWay}>
          {host === '' ? 'Sign in' : 'Sign in with a token'}
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
