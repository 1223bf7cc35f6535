import { readReport } from './reading.js';
import { serveReports } from './serve.js';

/** A thread that reads reports: see `readers.ts`. */
serveReports(readReport);
