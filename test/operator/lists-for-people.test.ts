import { describe, expect, test } from '@jest/globals';
import { CrashGroup, StackFrame } from '../../src/gen/pandafuzz/v1/crash.js';
import { groupPlaces } from '../../src/operator/crashes/look-alikes.js';
import { cut } from '../../src/operator/fit.js';
import { shortIds } from '../../src/operator/short-ids.js';
import { facts, type TableColumn, table } from '../../src/operator/table.js';

const columns: TableColumn[] = [
  'id',
  { name: 'state', leaves: 'same' },
  { name: 'where', shrinks: 'then' },
  { name: 'target', shrinks: 'first' },
  { name: 'extra', right: true, leaves: 'narrow' },
];
const rows = [
  ['1', 'new', 'a_function_with_a_long_name file.c:41', 'some_target_of_ours', '1000'],
  ['2', 'new', 'f', 't', '2'],
];

describe('a table on a terminal', () => {
  test.each([
    [undefined, 'id  state  where                                  target               extra'],
    [80, 'id  state  where                                  target               extra'],
    [75, 'id  where                                  target               extra'],
    [66, 'id  where                                  target'],
    [55, 'id  where                                  target'],
    [40, 'id  where                     target'],
  ])('of %p columns leaves out and shortens no more than it has to', (width, head) => {
    const lines = table(columns, rows, width).split('\n');
    expect(lines[0]).toBe(head);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width ?? 1000);
  });

  test('keeps both ends of what it shortens, where the difference often is', () => {
    expect(table(columns, rows, 40)).toContain('a_function_w…e file.c:41');
    expect([cut('abcdef', 6), cut('abcdef', 5), cut('abcdef', 1)]).toEqual([
      'abcdef',
      'ab…ef',
      '…',
    ]);
  });

  test('is as wide as it must be where nothing is left to shorten', () => {
    expect(table(['a name', 'another'], [['1', '2']], 5)).toBe('a name  another\n1       2');
  });
});

test('further lines of a fact stand under its first', () => {
  expect(
    facts([
      ['a', 'one\ntwo\u001b'],
      ['long', 'x'],
    ]),
  ).toBe('a     one\n      two\ufffd\nlong  x');
});

describe('short ids', () => {
  const ids = [
    '0198c0de-1111-7000-8000-000000000000',
    '0198c0de-1111-7000-9000-000000000000',
    '0198c0de-2222-7000-8000-000000000000',
  ];

  test('have the time, and as much more as tells them apart', () => {
    expect(ids.map(shortIds(ids))).toEqual([
      '0198c0de-1111-7000-8',
      '0198c0de-1111-7000-9',
      '0198c0de-2222',
    ]);
  });

  test('begin none of those beside them either', () => {
    const [one = '', two = '', three = ''] = ids;
    expect(shortIds([one], [two, three])(one)).toBe('0198c0de-1111-7000-8');
    expect(shortIds([one, one])(one)).toBe('0198c0de-1111');
  });
});

describe('groups that look alike', () => {
  const frame = (name: string, line: number) =>
    StackFrame.create({ function: name, file: `/src/${name}.c`, line, own: true });
  const group = (more: Partial<CrashGroup>) =>
    CrashGroup.create({ kind: 'SEGV', topFrame: 'parse', targetName: 't', ...more });

  test('show the line, or the frame below, or the message: what tells them apart', () => {
    const read = frame('read', 9);
    expect(
      groupPlaces([
        group({ frames: [frame('parse', 1)] }),
        group({ frames: [frame('parse', 2), read] }),
        group({ topFrame: 'other', frames: [frame('other', 2)] }),
      ]),
    ).toEqual(['parse parse.c:1', 'parse parse.c:2', 'other']);
    expect(
      groupPlaces([
        group({ frames: [frame('parse', 1), read] }),
        group({ frames: [frame('parse', 1), frame('load', 3)] }),
        group({ frames: [frame('parse', 7), read] }),
      ]),
    ).toEqual(['parse parse.c:1 < read', 'parse parse.c:1 < load', 'parse parse.c:7 < read']);
    expect(
      groupPlaces([
        group({ topFrame: 'unknown', message: 'x < N' }),
        group({ frames: [read], message: 'x < N' }),
        group({ frames: [read], message: 'y < N' }),
      ]),
    ).toEqual(['x < N', 'parse x < N', 'parse y < N']);
  });

  test('of two targets are told apart by those', () => {
    const frames = [frame('parse', 1)];
    expect(groupPlaces([group({ frames }), group({ frames, targetName: 'u' })])).toEqual([
      'parse',
      'parse',
    ]);
  });
});
