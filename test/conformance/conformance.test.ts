import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Conformance,
  type ConformanceOptions,
  checkConformance,
} from '../../src/conformance/conformance.js';
import { type Rule, rules } from '../../src/conformance/rules.js';
import { patienceMs } from '../patience.js';

/**
 * `pandafuzz conformance` against our own bot, against a small bot that does all that the
 * protocol asks for, and against the same one breaking one rule after the other.
 */

const ownBot = `exec ${process.execPath} ${pathOf('../../src/cli/main.js')} bot`;
const testBot = `exec ${process.execPath} ${pathOf('./test-bot.js')}`;

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

const play = (command: string, wanted: Partial<ConformanceOptions>): Promise<Conformance> =>
  checkConformance({
    ...{ command, skip: [], isVerbose: false, signal: new AbortController().signal },
    ...{ waitMs: patienceMs / 3, startMs: patienceMs, deadlineMs: 2 * patienceMs },
    ...wanted,
  });

/** Lines of the report that say what is wrong. */
const wrongIn = ({ findings }: Conformance) =>
  findings.filter(({ verdict }) => verdict === 'failed').map(({ rule, why }) => `${rule}: ${why}`);

/** Runs them all, some at a time: each waits most of its time. */
async function pooled<Key extends string, Value>(
  keys: readonly Key[],
  run: (key: Key) => Promise<Value>,
): Promise<Record<Key, Value>> {
  const left = [...keys];
  const values: Partial<Record<Key, Value>> = {};
  const worker = async () => {
    for (let key = left.shift(); key !== undefined; key = left.shift())
      values[key] = await run(key);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return values as Record<Key, Value>;
}

/** What a bot that never does what is expected is waited for: no other step is this slow. */
const brokenWaitMs = 6000;

/** What each broken bot is told; a rule that is not here takes long to break (silence). */
const faults: Partial<Record<Rule, RegExp>> = {
  register: /^RegisterBot is refused: name/,
  hello: /before Welcome had come/,
  beats: /^no beat came/,
  sequence: /has sequence 3; 2 was next/,
  fields: /^a beat is refused: beat.resources.load_average/,
  sizes: /a chunk of 300000 bytes/,
  slots: /free slots beside 0 leases; it registered 2 slots/,
  capacity: /took a job with no slot free/,
  accept: /^no LeaseAck came/,
  fences: /^a beat has fence 2; the Assign had/,
  renew: /leaves out a lease/,
  reject: /neither LeaseReject nor JobDone/,
  download: /broke off once ended as INFRASTRUCTURE/,
  checksum: /bytes are not those of its SHA-256/,
  crash: /was not reported after it was refused/,
  done: /did not come again within 4 beats/,
  'done-again': /Hello does not name a lease whose result/,
  'retry-after': /after a refusal with retry_after_ms/,
  late: /refused as STALE_LEASE|JobDone after its result/,
  cancel: /its beats still name the lease/,
  'cancel-by-beat': /no CancelAck/,
  lost: /its beats still name the lease/,
  drain: /have free slots after Drain/,
  resume: /instance_id|does not name the lease/,
  restart: /does not name the lease/,
  'not-kept': /its beats still name the lease/,
  'go-away': /after GoAway with reconnect_after_ms/,
  forgotten: /^no RegisterBot came/,
  backoff: /streams within 3 s/,
  unknown: /ended its stream/,
  rival: /after its stream was refused as ABORTED/,
  stop: /still runs/,
};
/** Watched in messages that other checks bring about. */
const seenBy: Partial<Record<Rule, Rule>> = { sizes: 'crash', slots: 'accept' };

/** In parts, which are played beside each other. */
const parts: readonly (readonly Rule[])[] = [0, 1, 2].map((part) =>
  rules.filter((_, at) => at % 3 === part),
);

describe('a bot that breaks', () => {
  const broken = Object.keys(faults) as Rule[];
  let results: Record<Rule, Conformance>;
  beforeAll(async () => {
    results = await pooled(broken, (rule) =>
      play(`${testBot} ${rule}`, { only: [seenBy[rule] ?? rule], waitMs: brokenWaitMs }),
    );
  });

  test.each(broken)('%s fails with that line alone', (rule) => {
    const [first = '', ...others] = wrongIn(results[rule]);
    expect(first).toMatch(`${rule}: `);
    expect(first.slice(rule.length + 2)).toMatch(faults[rule] as RegExp);
    expect(others).toEqual([]);
  });
});

describe.each([
  ['our own bot', ownBot],
  ['a bot of 200 lines', `${testBot} none`],
])('%s', (_, command) => {
  test('passes every check', async () => {
    const results = await Promise.all(parts.map((only) => play(command, { only })));
    expect(results.flatMap(wrongIn)).toEqual([]);
    const kept = (rule: Rule) =>
      results.some(({ findings }) =>
        findings.some((one) => one.rule === rule && one.verdict === 'passed'),
      );
    const unmet = rules.filter((rule) => !kept(rule));
    expect(unmet).toEqual(command === ownBot ? [] : ['log']);
  });
});

test('a command that is no bot ends at once, with what it printed', async () => {
  const result = await play('echo no such thing; exit 3', { only: ['accept'] });
  expect(wrongIn(result)).toEqual([
    'register: the bot ended with exit code 3; it printed last:\nno such thing',
  ]);
});
