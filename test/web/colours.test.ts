import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const folder = new URL('../../../web/styles/', import.meta.url);
const sheets = new Map(
  readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
);
const colours = sheets.get('colours.css') ?? '';

type Palette = ReadonlyMap<string, string>;

/** The variables of each block of colours.css that sets a surface, in its order. */
const palettes: readonly Palette[] = [...colours.matchAll(/\{([^{}]*--surface:[^{}]*)\}/g)].map(
  ([, block = '']) =>
    new Map(
      [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [
        String(name),
        String(value),
      ]),
    ),
);
const [light = new Map(), darkBySystem = new Map(), darkByChoice = new Map()] = palettes;

/** Relative luminance as WCAG 2.2 defines it. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

const surfaces = ['surface', 'surface-2', 'surface-3'];
const states = ['good', 'run', 'warn', 'bad', 'new', 'still'];
const chips = states.map((name) => `${name}-chip`);
const series = [1, 2, 3, 4, 5, 6].map((number) => `series-${number}`);

const pairs = (fronts: readonly string[], backs: readonly string[], least: number) =>
  fronts.flatMap((front) => backs.map((back) => ({ front, back, least })));

/** What stands on what. Links and marks of unseen characters may stand on every chip. */
const uses = [
  ...pairs(['text', 'muted', ...states], surfaces, 4.5),
  ...states.map((name) => ({ front: name, back: `${name}-chip`, least: 4.5 })),
  ...pairs(['run', 'muted'], chips, 4.5),
  ...pairs(['surface'], ['run'], 4.5),
  ...pairs(series, ['surface'], 4.5),
  ...pairs(['control'], [...surfaces, ...chips], 3),
];

test('the contrast of colours: black on white has 21, and of one colour with itself 1', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
  expect(contrast('#767676', '#ffffff')).toBeCloseTo(4.54, 2);
  expect(contrast('#767676', '#767676')).toBe(1);
});

test.each([
  ['light', light],
  ['dark', darkBySystem],
] as const)('what is %s can be read: text has 4.5 to 1, parts have 3 to 1', (_, palette) => {
  const faint = uses.flatMap(({ front, back, least }) => {
    const found = contrast(palette.get(front) ?? '', palette.get(back) ?? '');
    return found >= least ? [] : [`${front} on ${back}: ${found.toFixed(2)} of ${least}`];
  });
  expect(faint).toEqual([]);
});

test('dark is the same by the system and by choice, and names all that light names', () => {
  expect(palettes).toHaveLength(3);
  expect(darkByChoice).toEqual(darkBySystem);
  expect([...darkBySystem.keys()]).toEqual([...light.keys()]);
});

test('every colour is one of these, and each of these is used by a rule or computed above', () => {
  const named = new Set(uses.flatMap(({ front, back }) => [front, back]));
  const decoration = ['line']; // rules between rows, which say nothing
  expect([...light.keys()].filter((name) => !named.has(name))).toEqual(decoration);
  for (const [name, sheet] of sheets) {
    if (name === 'colours.css') continue;
    const used = [...sheet.matchAll(/var\(--([\w-]+)\)/g)].map(([, variable]) => String(variable));
    expect([name, used.filter((variable) => !light.has(variable))]).toEqual([name, []]);
    expect([name, sheet.match(/#[0-9a-f]{3,8}\b(?![^{]*\{)/gi) ?? []]).toEqual([name, []]);
  }
});
