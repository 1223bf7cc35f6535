import { useEffect } from 'preact/hooks';
import { failureOf } from '../api/failure.js';
import { wake } from '../api/line.js';
import { finishSignIn } from '../api/provider.js';
import { signedOut } from '../api/session.js';
import { go } from '../route/route.js';

/** Where the provider sends the browser back to. */
export function SignedIn() {
  useEffect(() => {
    const answer = location.search.slice(1);
    // The code goes out of the address, and with it out of the browser's history.
    history.replaceState(null, '', location.pathname);
    finishSignIn(answer).then(
      (path) => {
        go(path, { replace: true });
        wake();
      },
      (error) => {
        signedOut(failureOf(error).message);
        go('/', { replace: true });
      },
    );
  }, []);
  return (
    <main id="content" class="sign-in" tabIndex={-1}>
      <h1>Signing in</h1>
      <p role="status">The master asks the provider who you are.</p>
    </main>
  );
}
