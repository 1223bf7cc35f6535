import { describe, expect, test } from '@jest/globals';
import { noSecrets, RunSecrets, secretsLeftBy } from '../../../src/bot/sandbox/secrets.js';

const secrets = new RunSecrets({ short: 'abcabcab', long: 'abcabcab-and-more', word: 'pässwörd' });

/** What is passed on of these chunks. */
function passed(chunks: readonly Buffer[], of = secrets): string {
  const out: Buffer[] = [];
  const cutter = of.cutter((chunk) => out.push(chunk));
  for (const chunk of chunks) cutter.push(chunk);
  cutter.end();
  return Buffer.concat(out).toString('utf8');
}

describe('secrets of a run', () => {
  test('are put in place of their names, for programs alone', () => {
    const absent = { B: 'secret:absent', P: 'secret:constructor' };
    const environment = { A: 'secret:short', ...absent, C: 'plain', D: undefined };
    const { plain, hidden } = secrets.apart(environment);
    expect(hidden).toEqual({ A: 'abcabcab' });
    expect(plain).toEqual({ ...absent, C: 'plain', D: undefined });
  });

  test('are cut out of texts, the longest first', () => {
    const text = 'x abcabcab-and-more y abcabcab z pässwörd';
    expect(secrets.cut(text)).toBe('x [secret long] y [secret short] z [secret word]');
    expect(noSecrets.cut(text)).toBe(text);
  });

  test('are cut out of output wherever its chunks end', () => {
    const text = Buffer.from('ab abcabcab abcabcab-and-more pässwörd abcab');
    const whole = 'ab [secret short] [secret long] [secret word] abcab';
    for (let at = 1; at < text.length; at++) {
      const got = passed([text.subarray(0, at), text.subarray(at)]);
      // Of two values that begin alike, the shorter may be seen first.
      expect([whole, whole.replace('[secret long]', '[secret short]-and-more')]).toContain(got);
    }
    expect(passed([...text].map((byte) => Buffer.from([byte])))).not.toMatch(/abcabcab|pässwörd/);
  });

  test('of a run that was left behind are not known, so nothing that it printed is told', () => {
    const lost = secretsLeftBy({ A: 'secret:short' });
    expect(lost.cut('abcabcab')).not.toContain('abcabcab');
    expect(passed([Buffer.from('abcabcab')], lost)).toBe('');
    expect(secretsLeftBy({ A: 'plain' })).toBe(noSecrets);
  });
});
