import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { pretendedTarget } from '../bot/scripted-master.js';
import { pandafuzz, said, startPandafuzz } from '../cli/run.js';
import { Process, place, reach } from '../processes.js';
import { jobIn } from '../steps.js';

/** A master, a bot, and a target that does what $MODE says. */
async function atWork() {
  const { address, directory, environment } = await place();
  new Process(['master'], { ...environment, PANDAFUZZ_JOBS_RETRY_DELAY: '0ms' });
  const connection = await reach(address);
  const startBot = async () => {
    const bot = new Process(['bot', '--name', 'north', '--slots', '1'], {
      PANDAFUZZ_MASTER: address,
      PANDAFUZZ_BOT_WORK_DIR: join(directory, 'bot'),
    });
    await bot.says('master connected');
    return bot;
  };
  const target = join(directory, 'target');
  writeFileSync(target, pretendedTarget);
  chmodSync(target, 0o755);
  const options = { environment: { PANDAFUZZ_MASTER: address } };
  const run = (...args: string[]) => pandafuzz(args, options);
  const start = (...args: string[]) => startPandafuzz(args, options);
  const submit = async (mode: string) => {
    const args = ['--engine', 'libfuzzer', '--env', `MODE=${mode}`, '--max-attempts', '1'];
    const { out, err } = await run('job', 'submit', target, ...args);
    expect(err).toBe('');
    return out.trim();
  };
  return { connection, startBot, run, start, submit };
}

describe('a log, read through the master,', () => {
  test('is that of a running engine, of its bot, and goes on until the job has ended', async () => {
    const { connection, startBot, run, start, submit } = await atWork();
    await startBot();
    const jobId = await submit('fuzz');
    await jobIn(connection, jobId, JobState.RUNNING);
    const following = start('job', 'log', jobId, '--follow');
    let shown = '';
    following.child.stdout?.on('data', (chunk) => {
      shown += chunk;
      if (shown.includes('INITED')) void run('job', 'cancel', jobId);
    });
    expect(await following.ended).toMatchObject({ code: 0, out: /#2\tINITED cov: 3/ });
    // The bot has it for a while after the end.
    expect(await run('job', 'log', jobId)).toMatchObject({ code: 0, out: /INITED/, err: '' });
    const own = await run('bot', 'log', 'north');
    expect(own.out).toContain('"msg":"bot registered"');
    const about = await run('job', 'log', jobId, '--bot-log');
    expect(about.out).toContain('"msg":"job taken"');
    expect(about.out).not.toContain('bot registered');
    const parts = (await run('job', 'log', jobId, '--json')).out.trim().split('\n');
    expect(Buffer.from(JSON.parse(parts[0] as string).data, 'base64').toString()).toMatch(/INITED/);
  });

  test('is kept by the master for an attempt that failed, when its bot is gone', async () => {
    const { connection, startBot, run, start, submit } = await atWork();
    const waiting = await submit('no fuzzer');
    expect(await run('job', 'log', waiting)).toMatchObject({
      code: 1,
      err: /no bot has begun with the job: it has no log yet/,
    });
    const follower = start('job', 'log', waiting, '-f');
    await said(follower.child, /it has no log yet; waiting/);
    const bot = await startBot();
    expect(await follower.ended).toMatchObject({ code: 0, out: /usage: frobnicate FILE/ });
    await jobIn(connection, waiting, JobState.DEAD);
    bot.end('SIGTERM');
    await bot.exited;
    const kept = await run('job', 'log', waiting);
    expect(kept).toMatchObject({ code: 0, out: /^usage: frobnicate FILE\n/, err: '' });
    expect((await run('bot', 'log', 'north')).err).toMatch(/the bot is offline/);
    expect((await run('job', 'log', waiting, '--bot-log')).err).toMatch(/the bot is offline/);
  });
});

test('a bot is upgraded without an attempt: drained, waited for, restarted, resumed', async () => {
  const { connection, startBot, run, start, submit } = await atWork();
  const old = await startBot();
  const running = await submit('fuzz');
  await jobIn(connection, running, JobState.RUNNING);
  const draining = start('bot', 'drain', 'north', '--wait');
  await said(draining.child, /north has 1 job to finish; waiting/);
  const next = await submit('leave');
  await run('job', 'cancel', running);
  expect(await draining.ended).toMatchObject({ code: 0, out: /north +draining/ });
  old.end('SIGTERM');
  expect(await old.exited).toEqual({ code: 0, signal: null });
  await startBot();
  expect((await jobIn(connection, next, JobState.PENDING)).attempt).toBe(0);
  expect((await run('bot', 'resume', 'north')).code).toBe(0);
  const { attempt, lostAttempts } = await jobIn(connection, next, JobState.COMPLETED);
  expect([attempt, lostAttempts]).toEqual([1, 0]);
});
