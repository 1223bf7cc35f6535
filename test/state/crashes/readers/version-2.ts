import { serveReports } from '../../../../src/state/crashes/reading/serve.js';
import { scriptedReader } from './scripted.js';

serveReports(scriptedReader(2));
