import { parentPort } from 'node:worker_threads';
import type { CrashReading } from '../../../store/crash-rows.js';
import type { ReportToRead } from './reading.js';

/** Reads each report that the main thread sends, and sends back what it found. */
export function serveReports(read: (report: ReportToRead) => CrashReading): void {
  parentPort?.on('message', (report: ReportToRead) => parentPort?.postMessage(read(report)));
}
