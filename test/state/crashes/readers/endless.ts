import { serveReports } from '../../../../src/state/crashes/reading/serve.js';
import { scriptedReader } from './scripted.js';

/** A reader that never ends with some reports, dies of others, and after one. */
serveReports((report) => {
  while (report.report === 'endless');
  if (report.report === 'deadly') throw new Error('a reader that failed');
  if (report.report === 'last') setImmediate(() => process.exit()); // the thread alone
  return scriptedReader(2)(report);
});
