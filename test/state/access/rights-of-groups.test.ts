import { expect, test } from '@jest/globals';
import { groupsIn, rightsOf } from '../../../src/state/access/rights-of-groups.js';

const rules = [
  { group: 'all', role: 'viewer' as const, projects: [] },
  { group: 'web', role: 'operator' as const, projects: ['web', 'shop'] },
  { group: 'web', role: 'operator' as const, projects: ['web', 'api'] },
  { group: 'ops', role: 'operator' as const, projects: [] },
  { group: 'root', role: 'admin' as const, projects: [] },
];

test.each([
  [[], undefined],
  [['none', 'All', 'all '], undefined],
  [['all'], { role: 'viewer', projects: [] }],
  [['all', 'web'], { role: 'operator', projects: ['api', 'shop', 'web'] }],
  [['web', 'ops'], { role: 'operator', projects: [] }],
  [['ops', 'root', 'web'], { role: 'admin', projects: [] }],
])('groups %j give %j', (groups, rights) => {
  expect(rightsOf(groups, rules)).toEqual(rights);
});

test.each([
  ['one', ['one']],
  [['one', 2, null, ['three']], ['one']],
  [undefined, []],
  [{ one: true }, []],
])('the claim %j has the groups %j', (claim, groups) => {
  expect(groupsIn(claim)).toEqual(groups);
});
