import { plain, plainLines } from '../format.js';
import { facts, heading } from '../table.js';
import { crashFacts, groupFacts, stackLines } from './describe.js';
import type { Dossier } from './dossier.js';
import { inputName, quoted, replayLine } from './replay.js';
import { buildTable, groupTable } from './tables.js';

/** One group and one crash of it, whole, for a terminal. */
export function details(dossier: Dossier, now: number): string {
  const { crash, similar, builds } = dossier;
  const stack = stackLines(crash).map(plain);
  const [newest] = crash.reproductions;
  return [
    facts(groupFacts(dossier, now)),
    facts(crashFacts(crash, now)),
    section('stack (* the target’s own)', stack.length > 0 ? stack.join('\n') : 'none was read'),
    section('how to reproduce', howTo(dossier)),
    builds.length > 0 ? section('builds', buildTable(builds, now)) : '',
    similar.length > 0 ? section('similar groups', groupTable(similar, now)) : '',
    newest?.log ? section('output of the last reproduction', plainLines(newest.log.trimEnd())) : '',
    section('report', plainLines(crash.report.trimEnd()) || 'none'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

const section = (title: string, text: string) => `${heading(title)}\n${text}`;

function howTo({ crash }: Dossier): string {
  const file = inputName(crash);
  const lines = [
    `pandafuzz crash download ${crash.id} -o ${quoted(file)}`,
    replayLine(crash, file),
  ];
  return lines.map((line) => `  $ ${plain(line)}`).join('\n');
}
