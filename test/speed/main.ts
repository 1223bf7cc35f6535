import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { findProgram } from '../../src/bot/sandbox/programs.js';
import { connect } from '../../src/client/connect.js';
import { patienceMs } from '../patience.js';
import { type BareRun, type Row, rows } from './rows.js';

/**
 * `make engines-speed`: executions of each engine under a bot beside those of the engine by
 * hand, by turns, with a real master and a real bot:
 *
 *   node main.js [--seconds 10] [--rounds 5] [ENGINE…]
 */
const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
  },
  allowPositionals: true,
});
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
const cli = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
// Brought by test/integration/set-up.sh.
process.env['PATH'] = `${process.cwd()}/.tools/honggfuzz:${process.env['PATH']}`;
const root = mkdtempSync(join(tmpdir(), 'pandafuzz-speed-'));
const children: ChildProcess[] = [];
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

const master = await startFleet();
console.log(
  `${rounds} rounds of ${seconds} s, by turns; medians of executions a second, and of ratios`,
);
console.log('engine       by hand    under a bot  ratio');
for (const row of rows) {
  if (positionals.length > 0 && !positionals.includes(row.engine)) continue;
  if (findProgram([row.needs])) await measure(row);
  else console.log(`${row.engine.padEnd(12)} skipped: this machine has no ${row.needs}`);
}
process.exit();

async function measure(row: Row): Promise<void> {
  const [file = '', ...args] = row.build(join(root, row.engine));
  await promisify(execFile)(file, args, { env: { ...process.env, AFL_QUIET: '1' } });
  const seeds = join(root, `${row.engine}-seeds`);
  mkdirSync(seeds);
  writeFileSync(join(seeds, 'seed'), 'START of something');
  const target = join(root, row.engine);
  const pairs: { bare: number; under: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const folder = mkdtempSync(join(root, 'bare-'));
    const bare = byHand(row, { target, seeds, seconds, folder });
    pairs.push({ bare, under: await underBot(row, target, seeds) });
  }
  const rate = (executions: number[]) =>
    Math.round(median(executions) / seconds).toLocaleString('en-US');
  const [bare, under] = [pairs.map((pair) => pair.bare), pairs.map((pair) => pair.under)];
  const ratio = median(pairs.map((pair) => pair.under / pair.bare)).toFixed(3);
  console.log(
    `${row.engine.padEnd(12)} ${rate(bare).padEnd(10)} ${rate(under).padEnd(12)} ${ratio}`,
  );
}

/** Of an even number of values, the mean of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [below, above] = [Math.floor((sorted.length - 1) / 2), Math.ceil((sorted.length - 1) / 2)];
  return ((sorted[below] ?? 0) + (sorted[above] ?? 0)) / 2;
}

function byHand(row: Row, run: BareRun): number {
  const [file = '', ...args] = row.bare(run);
  const env = { ...process.env, ...row.environment };
  const maxBuffer = 2 ** 28;
  const { stdout, stderr } = spawnSync(file, args, { env, cwd: run.folder, maxBuffer });
  return row.executions(run, `${stdout}${stderr}`);
}

async function underBot(row: Row, target: string, seeds: string): Promise<number> {
  const job = ['job', 'submit', target, '--engine', row.engine, '--seeds', seeds];
  const own = row.arguments ? ['--', ...row.arguments] : [];
  const limits = ['--duration', `${seconds}s`, '--wait', '--json', '--master', master];
  const args = [...job, ...limits, ...own];
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args]);
  return Number(JSON.parse(stdout).jobs[0].statistics.executions);
}

/** @returns the master's address */
async function startFleet(): Promise<string> {
  const [grpc, http] = [await freePort(), await freePort()];
  const address = `127.0.0.1:${grpc}`;
  const env = {
    ...process.env,
    PANDAFUZZ_GRPC_ADDRESS: address,
    PANDAFUZZ_HTTP_ADDRESS: `127.0.0.1:${http}`,
    PANDAFUZZ_DATA_DIRECTORY: join(root, 'data'),
  };
  const begin = (...args: string[]) =>
    children.push(spawn(process.execPath, [cli, ...args], { env, stdio: 'ignore' }));
  begin('master');
  await masterAt(address);
  begin('bot', '--master', address, '--work-dir', join(root, 'bot'), '--slots', '1', '--no-corpus');
  return address;
}

/** Resolves when the master answers. */
async function masterAt(address: string): Promise<void> {
  const connection = connect(address);
  const { system } = connection;
  try {
    await promisify(system.waitForReady.bind(system))(Date.now() + patienceMs);
  } finally {
    connection.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
