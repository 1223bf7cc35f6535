import { expect, test } from '@jest/globals';
import { hierarchies } from '../../../src/bot/sandbox/mounts.js';

test('cgroups of both versions are found by their mounts, where this process is in them', () => {
  const mountinfo = [
    '25 24 0:23 / /dev/shm rw,relatime - tmpfs tmpfs rw,size=24683656k',
    '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory',
    '39 31 0:36 / /sys/fs/cgroup/my\\040pids rw,relatime - cgroup cgroup rw,pids,cpu',
    '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
  ].join('\n');
  const cgroup = '8:pids,cpu:/\n4:memory:/bots/one\n0::/system.slice/bot.service\n';
  expect(hierarchies(mountinfo, cgroup)).toEqual([
    { version: 1, controllers: ['memory'], folder: '/sys/fs/cgroup/memory/bots/one' },
    { version: 1, controllers: ['pids', 'cpu'], folder: '/sys/fs/cgroup/my pids' },
    { version: 2, controllers: [], folder: '/sys/fs/cgroup/unified/system.slice/bot.service' },
  ]);
});

test('a mount of a part of a hierarchy, as in containers, is taken from its own root', () => {
  const mount = (root: string) =>
    `41 31 0:38 ${root} /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw`;
  const folder = (root: string, path: string) =>
    hierarchies(mount(root), `0::${path}\n`)[0]?.folder;
  expect(folder('/docker/abc', '/docker/abc/bot')).toBe('/sys/fs/cgroup/bot');
  expect(folder('/docker/abc', '/docker/abc')).toBe('/sys/fs/cgroup');
  expect(folder('/', '/../../other')).toBe('/sys/fs/cgroup');
});
