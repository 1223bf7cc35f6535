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
import { sigterm } from './rows/13-sigterm.js';
import { manyFloods } from './rows/14-floods.js';
import { dyingThreads } from './rows/15-dying-threads.js';
import { restore } from './rows/16-restore.js';
import { killedBot } from './rows/17-killed-bot.js';
import { unreadLog } from './rows/18-unread-log.js';

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
  sigterm,
  manyFloods,
  dyingThreads,
  restore,
  killedBot,
  unreadLog,
];
