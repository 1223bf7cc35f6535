import { createInterface } from 'node:readline';
import * as floods from './floods.js';

/**
 * The side of floods.ts that is not the load's: ADDRESS. Told on standard input what to do, a line
 * each (`closedWindows 10 40`), it says how many calls that were. Ends with its input.
 */
const [address = ''] = process.argv.slice(2);

for await (const line of createInterface(process.stdin)) {
  const [name = '', ...numbers] = line.split(' ');
  const flood = floods[name as keyof typeof floods] as (
    address: string,
    ...numbers: number[]
  ) => number | Promise<number>;
  process.stdout.write(`${await flood(address, ...numbers.map(Number))}\n`);
}
process.exit(0);
