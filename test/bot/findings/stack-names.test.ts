import { describe, expect, test } from '@jest/globals';
import { namingBy } from '../../../src/bot/engines/naming.js';
import { namelessOffsets, withNames } from '../../../src/bot/findings/stack-names.js';

const report = [
  '==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602 at pc 0x55c2 bp 0x7f sp 0x7f',
  '    #0 0x55c2670e6946  (/run/bin/two words+0x119946) (BuildId: d545aca1)',
  '    #1 0x55c2670e6a9e  (/run/bin/two words+0x119a9e) (BuildId: d545aca1)',
  '    #2 0x7febffb45249  (/lib/libc.so.6+0x27249)',
  '    #3 0x7febffb45250 in main /src/main.c:3:1',
  '',
  'freed by thread T0 here:',
  '    #0 0x55c2670e6946  (/run/bin/two words+0x119946) (BuildId: d545aca1)',
].join('\n');

describe('a report without names', () => {
  test('says which offsets of which modules it has', () => {
    expect([...namelessOffsets(report)]).toEqual([
      ['/run/bin/two words', ['0x119946', '0x119a9e']],
      ['/lib/libc.so.6', ['0x27249']],
    ]);
  });

  test('gets them as the sanitizer prints them, inlined functions too; unknown frames stay', () => {
    const { read } = namingBy('/usr/bin/llvm-symbolizer');
    const [known = [], caller = []] = read(
      'fetch(int)\n/src/a.c:4:9\nparse\n/src/a.c:8:1\n\nrun\n??:0:0\n\n',
    );
    const names = new Map([
      [
        '/run/bin/two words',
        new Map([
          ['0x119946', known],
          ['0x119a9e', caller],
        ]),
      ],
    ]);
    expect(withNames(report, names).split('\n')).toEqual([
      report.split('\n')[0],
      '    #0 0x55c2670e6946 in fetch(int) /src/a.c:4:9',
      '    #1 0x55c2670e6946 in parse /src/a.c:8:1',
      '    #2 0x55c2670e6a9e in run (/run/bin/two words+0x119a9e) (BuildId: d545aca1)',
      '    #3 0x7febffb45249  (/lib/libc.so.6+0x27249)',
      '    #3 0x7febffb45250 in main /src/main.c:3:1',
      '',
      'freed by thread T0 here:',
      '    #0 0x55c2670e6946 in fetch(int) /src/a.c:4:9',
      '    #1 0x55c2670e6946 in parse /src/a.c:8:1',
    ]);
  });

  test('stays as it is where nothing is known', () => {
    const oneSpace = report.replaceAll('  (/', ' (/');
    for (const text of [report, oneSpace]) expect(withNames(text, new Map())).toBe(text);
    expect(namingBy('llvm-symbolizer').read('??\n??:0:0\n\n??\n??:0:0\n\n')).toEqual([[], []]);
  });

  test('takes no complaint of the symbolizer for a name', () => {
    const { read } = namingBy('llvm-symbolizer');
    const complaint = 'LLVMSymbolizer: error reading file: No such file or directory';
    expect(read(`${complaint}\n??\n??:0:0\n\n`)).toEqual([[]]);
    expect(read('Segmentation fault\n')).toEqual([[]]);
  });

  test('is read within a bound, whatever it says', () => {
    const many = Array.from({ length: 5000 }, (_, at) => `    #${at % 900} 0x1  (/m${at}+0x${at})`);
    const offsets = [...namelessOffsets(many.join('\n')).values()].flat();
    expect(offsets.length).toBeLessThanOrEqual(128);
  });
});
