/** What a PromQL expression reads: labels that are asked for, by metric, and those it groups by. */
export interface Used {
  readonly selected: readonly { readonly metric: string; readonly labels: readonly string[] }[];
  readonly grouped: readonly string[];
}

const keywords = ['and', 'or', 'unless', 'offset', 'bool'];
const wordsOf = (list: string) => list.match(/[a-zA-Z_]\w*/g) ?? [];

/** Reads what the rules and dashboards of deploy/ are written in; no more of PromQL. */
export function usedIn(expression: string): Used {
  const grouped: string[] = [];
  const selected: { metric: string; labels: string[] }[] = [];
  expression
    .replace(/"[^"]*"/g, '""')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g, (_, list: string) => {
      grouped.push(...wordsOf(list));
      return '';
    })
    .replace(/([a-zA-Z_:][\w:]*)\{([^}]*)\}/g, (_, metric: string, matchers: string) => {
      selected.push({ metric, labels: wordsOf(matchers) });
      return '';
    })
    .replace(/\b[a-zA-Z_:][\w:]*\b(?!\s*\()/g, (metric) => {
      if (!keywords.includes(metric)) selected.push({ metric, labels: [] });
      return '';
    });
  return { selected, grouped };
}

/** Labels of every metric of a page of /metrics. */
export function labelsIn(page: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const line of page.split('\n')) {
    const [, name, labels = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const known = found.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/(\w+)="(?:\\.|[^"\\])*"/g)) known.add(label);
    found.set(name, known);
  }
  return found;
}

/** Labels that Prometheus adds to all that it scrapes. */
const added = ['instance', 'job'];

/** What an expression, and a text with the labels of its answer, name and the page does not have. */
export function missingIn(
  known: ReadonlyMap<string, ReadonlySet<string>>,
  expression: string,
  text = '',
): string[] {
  const { selected, grouped } = usedIn(expression);
  const all = new Set([
    ...added,
    ...selected.flatMap(({ metric }) => [...(known.get(metric) ?? [])]),
  ]);
  const shown = [...text.matchAll(/\$labels\.(\w+)|\{\{(\w+)\}\}/g)].map(
    ([, ofRule, ofPanel]) => ofRule ?? ofPanel ?? '',
  );
  return [
    ...selected.flatMap(({ metric, labels }) => {
      const has = metric === 'up' ? new Set<string>() : known.get(metric);
      if (!has) return [metric];
      const unknown = labels.filter((label) => !has.has(label) && !added.includes(label));
      return unknown.map((label) => `${metric}{${label}}`);
    }),
    ...[...grouped, ...shown].filter((label) => !all.has(label)),
  ];
}
