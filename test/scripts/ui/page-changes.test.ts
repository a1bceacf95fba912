import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeBetween, ItemList } from '../../../scripts/ui/page-changes.ts';
import { applyChange, type PageChange, type PageGroup, type PageState } from '../../../scripts/ui/page-state.ts';
import { addSecret } from '../../../scripts/util/redaction.ts';
import { largePageState, pageHeader, smallPageState } from '../../support/page-state.ts';

/** As it arrives at the page. */
const sent = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const group = fc.record({
  id: fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', '1'),
  job: fc.string(),
  labels: fc.dictionary(fc.string(), fc.string()),
  series: fc.nat(),
  metrics: fc.nat(),
  bytes: fc.nat(),
  state: fc.constantFrom('ok' as const, 'wrong' as const),
});
const groups = fc
  .array(group)
  .map((all) => Object.fromEntries(all.map((item): [string, PageGroup] => [item.id, item])));
const state = fc.record({ groups, at: fc.nat() }).map(({ groups, at }): PageState => {
  return { ...smallPageState(), header: { ...pageHeader, at }, groups };
});

describe('a change between two states of a page', () => {
  it('must make the state after of the state before, whatever the ids and texts are', () => {
    fc.assert(
      fc.property(state, state, (before, after) => {
        const change = sent(changeBetween(before, after));
        expect(applyChange(sent(before), change)).toEqual(sent(after));
      }),
    );
  });

  it('must only have what differs', () => {
    const before = largePageState();
    const { g3: _, ...kept } = before.groups;
    const [g7, header] = [before.groups['g7'], { ...before.header, at: 1 }];
    if (g7 === undefined) throw new Error('the state has this group');
    const after = { ...before, header, groups: { ...kept, g7: { ...g7, series: 5 } } };
    const change: PageChange = { header, groups: { set: { g7: { ...g7, series: 5 } }, removed: ['g3'] } };
    expect(changeBetween(before, after)).toEqual(change);
    expect(changeBetween(before, before)).toEqual({ header: before.header });
  });
});

describe('the items of a list', () => {
  const one: PageGroup = {
    ...{
      id: 'a',
      job: 'backup',
      labels: { token: 'pushed-by-secret-7' },
      series: 1,
      metrics: 1,
      bytes: 9,
      state: 'ok',
    },
  };

  it('must be the same objects as long as they do not change', () => {
    const list = new ItemList<'groups'>();
    list.replace([one, { ...one, id: 'b' }]);
    const { items } = list;
    list.replace([{ ...one }, { ...one, id: 'b' }]);
    expect(list.items).toBe(items);
    list.replace([{ ...one }, { ...one, id: 'b', series: 2 }]);
    expect(list.items['a']).toBe(items['a']);
    expect(list.items['b']).toMatchObject({ series: 2 });
    list.replace([one]);
    expect(Object.keys(list.items)).toEqual(['a']);
  });

  it('must be without secrets, also those that become known later', () => {
    const list = new ItemList<'groups'>();
    list.replace([one]);
    addSecret('pushed-by-secret-7');
    list.redact();
    expect(list.items['a']?.labels).toEqual({ token: '[secret]' });
    list.replace([one]);
    expect(list.items['a']?.labels).toEqual({ token: '[secret]' });
  });
});
