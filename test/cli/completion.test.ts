import { execFile } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { placesOf } from '../../src/cli/completion/places.js';
import { nodeFlags } from '../../src/cli/node-flags.js';
import { makeProgram } from '../../src/cli/program.js';
import { shared } from '../endings.js';
import { atEnd, runMasterFor, temporaryFolder } from '../harness.js';
import { patienceMs } from '../patience.js';
import { registerBot } from '../steps.js';
import { pandafuzz } from './run.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** A line with its last word begun, and what that word becomes. */
const lines = [
  ['pandafuzz camp', 'campaign'],
  ['pandafuzz job lis', 'list'],
  ['pandafuzz job ls --camp', '--campaign'],
  ['pandafuzz job list --state pend', 'pending'],
  ['pandafuzz job list --reverse --target png --state assig', 'assigned'],
  ['pandafuzz --help job submit --dur', '--duration'],
  ['pandafuzz bot get nor', 'north'],
  ['pandafuzz backup --database-only uniq', 'unique-file'],
] as const;

const found = (program: string) =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));

interface Scene {
  readonly folder: string;
  readonly environment: Record<string, string>;
}
let scene: Scene;

/** A master with a bot, the scripts, and the command on the path. */
beforeAll(async () => {
  scene = await shared(async () => {
    const { connection, address } = await runMasterFor();
    await registerBot(connection, 'north');
    const folder = temporaryFolder();
    const command = ['exec', process.execPath, ...nodeFlags, main, '"$@"'].join(' ');
    writeFileSync(join(folder, 'pandafuzz'), `#!/bin/sh\n${command}\n`);
    chmodSync(join(folder, 'pandafuzz'), 0o755);
    writeFileSync(join(folder, 'unique-file'), '');
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { out } = await pandafuzz(['completion', shell]);
      writeFileSync(join(folder, `script.${shell}`), out);
    }
    const { PATH = '' } = process.env;
    const wait = String(patienceMs / 2);
    return {
      folder,
      environment: {
        ...{ PATH: `${folder}:${PATH}`, HOME: folder, TERM: 'dumb', LC_ALL: 'C.UTF-8' },
        ...{ PANDAFUZZ_MASTER: address, PANDAFUZZ_COMPLETION_WAIT: wait },
      },
    };
  });
});

function run(shell: string, script: string): Promise<string> {
  const args = shell === 'bash' ? ['--norc', '-c', script] : ['-c', script];
  const options = { cwd: scene.folder, env: scene.environment, timeout: patienceMs };
  return new Promise((resolve, reject) => {
    const child = execFile(shell, args, options, (error, out, err) =>
      error ? reject(new Error(`${error.message}\n${out}\n${err}`)) : resolve(out),
    );
    child.stdin?.end();
  });
}

/** What each shell makes of the line: the words that it offers. */
const offered: Record<string, (line: string) => Promise<string[]>> = {
  async bash(line) {
    const words = line.split(' ');
    const out = await run(
      'bash',
      `source ./script.bash; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}
       _pandafuzz; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
    return out.trim().split('\n');
  },
  async fish(line) {
    const out = await run('fish', `source ./script.fish; complete -C '${line}'`);
    return out
      .trim()
      .split('\n')
      .map((one) => one.split('\t')[0] ?? '');
  },
  /** In a terminal of its own: what is run after Tab and Enter. */
  async zsh(line) {
    const out = await run(
      'zsh',
      `zmodload zsh/zpty
       zpty z 'zsh -f -i'
       zpty -w z 'PS1= RPS1=; autoload -Uz compinit; compinit -u -D; source ./script.zsh'
       zpty -w z 'pandafuzz() { [[ $1 == __names ]] && { command pandafuzz "$@"; return }; print -r -- "GO""T<$*>" }'
       zpty -w z $'${line}\\t'
       zpty -r z out '*GOT<*>*'
       print -r -- $out
       zpty -d z`,
    );
    const [, words = ''] = /GOT<(.*?)>/.exec(out) ?? [];
    return [words.trim().split(' ').at(-1) ?? ''];
  },
};

describe.each(Object.keys(offered))('completion in %s', (shell) => {
  const isHere = found(shell);
  const orAbsent = isHere ? test.each(lines) : test.skip.each(lines);
  if (!isHere) process.stderr.write(`completion: there is no ${shell} here, so it is NOT tested\n`);

  orAbsent('makes "%s" end with %s', async (line, word) => {
    expect(await offered[shell]?.(line)).toContain(word);
  });
});

test('every command, option and choice is in the tables of every shell', async () => {
  const places = placesOf(await makeProgram());
  expect(places.find(({ at }) => at === 'crash list')?.options.map(({ text }) => text)).toEqual(
    expect.arrayContaining(['--sort', '--output', '--master', '--help']),
  );
  expect(places.length).toBeGreaterThan(60);
});

test('a master that never answers keeps no shell waiting', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  server.on('connection', (socket) => atEnd(() => void socket.destroy()));
  const { port } = server.address() as { port: number };
  const environment = { PANDAFUZZ_MASTER: `127.0.0.1:${port}` };
  expect(await pandafuzz(['__names', 'bot'], { environment })).toEqual({
    code: 0,
    out: '',
    err: '',
  });
});
