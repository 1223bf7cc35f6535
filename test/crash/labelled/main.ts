import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Grouped, group, type LabelledReport, score } from './score.js';

/**
 * Prints how well crashes are grouped, over reports that collect.sh left:
 *
 *   node main.js FOLDER             figures, and the bugs whose groups are not one
 *   node main.js FOLDER PACK.gz     the same, and packs the reports for the test
 */
const [folder, pack] = process.argv.slice(2);
if (!folder) throw new Error('usage: main.js FOLDER [PACK.gz]');

const reports = readdirSync(folder).sort().flatMap(readVariant);
const grouped = group(reports, 'bugs');
show('all', grouped);
for (const variant of new Set(grouped.map((one) => one.variant))) {
  show(
    variant,
    grouped.filter((one) => one.variant === variant),
  );
}
for (const label of new Set(grouped.map((one) => one.label))) showSplit(label);
for (const signature of new Set(grouped.map((one) => one.signature))) showMerged(signature);
if (pack) writeFileSync(pack, gzipSync(JSON.stringify(reports), { level: 9 }));

function readVariant(variant: string): LabelledReport[] {
  return readdirSync(join(folder as string, variant)).map((name) => {
    const [label, input] = name.replace('.txt', '').split('-') as [string, string];
    const report = readFileSync(join(folder as string, variant, name), 'latin1');
    return { variant, label: Number(label), input, report };
  });
}

function show(name: string, some: readonly Grouped[]): void {
  const { reports, labels, groups, precision, recall } = score(some);
  const figures = `precision ${precision.toFixed(4)} recall ${recall.toFixed(4)}`;
  console.log(
    `${name.padEnd(24)} ${figures} (${reports} reports, ${labels} bugs, ${groups} groups)`,
  );
}

function showSplit(label: number): void {
  const of = grouped.filter((one) => one.label === label);
  const signatures = new Map<string, string[]>();
  for (const { signature, variant, input } of of) {
    signatures.set(signature, [...(signatures.get(signature) ?? []), `${variant}/${input}`]);
  }
  if (signatures.size < 2) return;
  console.log(`split: bug ${label}`);
  for (const [signature, where] of signatures) {
    console.log(
      `  ${where.length} ${signature.replaceAll('\n', ' | ')}: ${where.slice(0, 4).join(' ')}`,
    );
  }
}

function showMerged(signature: string): void {
  const labels = new Set(
    grouped.filter((one) => one.signature === signature).map((one) => one.label),
  );
  if (labels.size > 1)
    console.log(`merged: ${[...labels].join(', ')}: ${signature.replaceAll('\n', ' | ')}`);
}
