import { serveReports } from '../../../../src/state/crashes/reading/serve.js';
import { scriptedReader } from './scripted.js';

/** A reader that never ends with some reports, and dies of others. */
serveReports((report) => {
  while (report.report === 'endless');
  if (report.report === 'deadly') throw new Error('a reader that failed');
  return scriptedReader(2)(report);
});
