import { inputFile, replayLine } from '../../core/replay.js';
import { plain, plainLines } from '../format.js';
import { facts, heading } from '../table.js';
import { crashFacts, groupFacts, stackLines } from './describe.js';
import type { Dossier } from './dossier.js';
import { buildTable, groupTable } from './tables.js';

/** One group and one crash of it, whole, for a terminal. */
export function details(dossier: Dossier, now: number): string {
  const { crash, similar, builds } = dossier;
  const stack = stackLines(crash).map(plain);
  const [newest] = crash.reproductions;
  return [
    facts(groupFacts(dossier, now), labelWidth),
    facts(crashFacts(crash, now), labelWidth),
    section("stack (* the target's own)", stack.length > 0 ? stack.join('\n') : 'none was read'),
    section('how to reproduce', howTo(dossier)),
    builds.length > 0 ? section('builds', buildTable(builds, now)) : '',
    similar.length > 0
      ? section('similar groups', groupTable(similar, now, { beside: [dossier.group] }))
      : '',
    newest?.log ? section('output of the last reproduction', plainLines(newest.log.trimEnd())) : '',
    section('report', plainLines(crash.report.trimEnd()) || 'none'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Both lists of facts are aligned. */
const labelWidth = 12;

const section = (title: string, text: string) => `${heading(title)}\n${text}`;

function howTo({ crash }: Dossier): string {
  const lines = [
    `pandafuzz crash download ${crash.id} -o ${inputFile}`,
    replayLine(crash, inputFile),
  ];
  return lines.map((line) => `  $ ${plain(line)}`).join('\n');
}
