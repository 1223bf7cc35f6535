import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { shared } from '../endings.js';
import { registerBot } from '../steps.js';
import { atWork } from './at-work.js';

type Scene = Awaited<ReturnType<typeof atWork>>;

/** A master for all of these, with three jobs of two targets. */
let scene: Scene;
beforeAll(async () => {
  scene = await shared(atWork);
  const submit = (...more: string[]) => scene.run('job', 'submit', 'fuzzer', ...more);
  await submit('--name', 'first', '--project', 'images');
  await submit('--name', 'second', '--campaign', 'night');
  await submit('--name', 'third', '--target-name', 'other');
  await registerBot(scene.connection, 'north', { labels: { zone: 'eu' } });
  await registerBot(scene.connection, 'south');
});

const names = async (...args: string[]): Promise<string[]> => {
  const { out } = await scene.run('job', 'list', '-o', 'jsonl', ...args);
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).spec.name);
};

describe('a list', () => {
  test('is filtered by project, target, campaign, state and time', async () => {
    expect(await names()).toEqual(['third', 'second', 'first']);
    expect(await names('--project', 'images')).toEqual(['first']);
    expect(await names('--target', 'fuzzer')).toEqual(['second', 'first']);
    expect(await names('--project', 'default', '--target', 'fuzzer')).toEqual(['second']);
    expect(await names('--campaign', 'night')).toEqual(['second']);
    expect(await names('--campaign', 'nothing')).toEqual([]);
    expect(await names('--state', 'pending', '--since', '1h', '--target', 'other')).toEqual([
      'third',
    ]);
    expect(await names('--state', 'running')).toEqual([]);
    expect(await names('--since', '2100-01-01')).toEqual([]);
  });

  test('is put in order, and says what it leaves out', async () => {
    expect(await names('--sort', 'name')).toEqual(['first', 'second', 'third']);
    expect(await names('--sort', 'name', '--reverse')).toEqual(['third', 'second', 'first']);
    const cut = await scene.run('job', 'list', '--sort', 'name', '--limit', '1');
    expect(cut.out).toContain('first');
    expect(cut.err).toBe('1 of 3 are shown: --limit shows more\n');
    expect(await scene.run('job', 'list', '--limit', '1')).toMatchObject({
      err: 'these are the newest 1: --limit shows more\n',
    });
    expect(await scene.run('job', 'list', '--sort', 'luck')).toMatchObject({
      code: 64,
      err: expect.stringMatching(/Allowed choices are created, target, engine/),
    });
  });

  test('has one document in JSON and YAML', async () => {
    const [json, flag, yaml] = await Promise.all(
      [['-o', 'json'], ['--json'], ['-o', 'yaml']].map((how) => scene.run('bot', 'list', ...how)),
    );
    expect(JSON.parse(json?.out ?? '').bots).toHaveLength(2);
    expect(flag?.out).toBe(json?.out);
    expect(parse(yaml?.out ?? '')).toEqual(JSON.parse(json?.out ?? ''));
    expect(await scene.run('bot', 'list', '--json', '-o', 'yaml')).toMatchObject({ code: 64 });
    const got = await scene.run('bot', 'get', 'north', '-o', 'yaml');
    expect(parse(got.out)).toMatchObject({ name: 'north', labels: { zone: 'eu' } });
  });

  test('of bots is filtered by state and label', async () => {
    const list = async (...args: string[]) => (await scene.run('bot', 'list', ...args)).out;
    expect(await list('--label', 'zone=eu')).toMatch(/north/);
    expect(await list('--label', 'zone=eu')).not.toMatch(/south/);
    expect(await list('--state', 'online')).toBe('no bots that match\n');
    expect(await list('--state', 'offline', '-o', 'wide')).toMatch(/zone=eu/);
  });
});

describe('colours', () => {
  const coloured = (environment: Record<string, string>) =>
    scene.runIn({ FORCE_COLOR: '1', ...environment }, 'bot', 'list');

  test('stand where something is wrong, and nowhere else', async () => {
    expect((await scene.run('bot', 'list')).out).not.toContain('\u001b');
    expect((await coloured({})).out).toContain('\u001b[33moffline\u001b[39m');
    const plain = await scene.runIn({ NO_COLOR: '1' }, 'bot', 'list');
    expect(plain.out).not.toContain('\u001b');
  });

  test('and columns keep to COLUMNS where there is no terminal', async () => {
    const { out } = await scene.runIn({ COLUMNS: '70' }, 'job', 'list');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(70);
  });
});
