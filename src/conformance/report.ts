import { type OutputFlags, print } from '../operator/output.js';
import { table, whole } from '../operator/table.js';
import type { Conformance } from './conformance.js';
import { notAsked, type Verdict } from './findings.js';
import { promiseOf } from './rules.js';

const words: Record<Verdict, string> = { passed: 'ok', failed: 'FAILED', skipped: '-' };

/**
 * Prints a line for each rule: what a bot that kept it does, or what this one got wrong.
 *
 * @returns the exit code
 */
export function report(flags: OutputFlags, command: string, result: Conformance): number {
  const { bot, engine } = result;
  const findings = result.findings.filter(({ why }) => why !== notAsked);
  const count = (verdict: Verdict) => findings.filter((one) => one.verdict === verdict).length;
  const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
  print(flags, {
    json: () => ({
      bot: { command, name: bot?.name, version: bot?.version, engines: bot?.engines, engine },
      checks: findings.map(({ rule, verdict, why }) => ({
        ...{ check: rule, result: verdict, promise: promiseOf(rule) },
        ...(why && { why }),
      })),
      ...{ passed, failed, skipped },
    }),
    text: () => {
      const rows = findings.map(({ rule, verdict, why }) => {
        const about = verdict === 'passed' ? promiseOf(rule) : (why.split('\n')[0] ?? '');
        return [rule, words[verdict], about];
      });
      const further = findings.flatMap(({ rule, why }) => {
        const [, ...lines] = why.split('\n');
        return lines.length > 0 ? [`\n${rule}:`, ...lines.map((line) => `  ${line}`)] : [];
      });
      const sum = `${passed} ok, ${failed} failed, ${skipped} not checked`;
      return [table(['check', 'result', 'what'], rows, whole), ...further, '', sum].join('\n');
    },
  });
  return failed > 0 ? 1 : 0;
}
