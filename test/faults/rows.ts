import type { Row } from './row.js';
import { killMaster } from './rows/01-kill-master.js';
import { killAtWrites } from './rows/02-kill-at-writes.js';
import { diskErrors } from './rows/03-disk-errors.js';
import { fullDisk } from './rows/04-full-disk.js';
import { powerCut } from './rows/05-power-cut.js';
import { writeLock } from './rows/06-write-lock.js';
import { endlessReader } from './rows/07-endless-reader.js';
import { stoppedBot } from './rows/08-stopped-bot.js';
import { stoppedMaster } from './rows/09-stopped-master.js';
import { brokenLines } from './rows/10-broken-lines.js';
import { lostAnswers } from './rows/11-lost-answers.js';
import { wallClocks } from './rows/12-wall-clocks.js';

export const rows: readonly Row[] = [
  killMaster,
  killAtWrites,
  diskErrors,
  fullDisk,
  powerCut,
  writeLock,
  endlessReader,
  stoppedBot,
  stoppedMaster,
  brokenLines,
  lostAnswers,
  wallClocks,
];
