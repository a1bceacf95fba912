import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AlertRule, alertChanges, pairAlerts } from '../../stack/alert.ts';

const alert = (name: string, fields: Partial<AlertRule> = {}): AlertRule => ({
  ...{ name, file: 'a.yml', group: 'a', expr: 'up == 0', holdFor: '0s', keepFiringFor: '0s' },
  ...{ labels: {}, annotations: {}, sent: { alertname: name }, ...fields },
});
const page = { labels: { severity: 'page' } };
const ticket = { labels: { severity: 'ticket' } };

describe('alerts before and after a change', () => {
  test('must be paired when they are equal, whatever their order', () => {
    const [a, b] = [alert('Down', page), alert('Down', ticket)];
    expect(pairAlerts([a, b], [b, a])).toEqual([
      { before: b, after: b },
      { before: a, after: a },
    ]);
  });

  test('must be paired by their labels when they differ, and by their order when these differ too', () => {
    const [oldPage, oldTicket] = [alert('Down', page), alert('Down', ticket)];
    const newTicket = alert('Down', { ...ticket, expr: 'up == 1' });
    const newMail = alert('Down', { labels: { severity: 'mail' } });
    expect(pairAlerts([oldPage, oldTicket], [newMail, newTicket])).toEqual([
      { before: oldTicket, after: newTicket },
      { before: oldPage, after: newMail },
    ]);
  });

  test('must be added and removed when they have no partner', () => {
    const [gone, here] = [alert('Gone'), alert('Here')];
    const { added, removed, changed } = alertChanges(pairAlerts([gone], [here]));
    expect({ added, removed, changed }).toEqual({ added: [here], removed: [gone], changed: [] });
  });

  test('must each be in exactly one pair', () => {
    const some = fc.array(
      fc
        .tuple(fc.constantFrom('A', 'B'), fc.constantFrom(page, ticket, {}), fc.constantFrom('up == 0', 'up == 1'))
        .map(([name, labels, expr]) => alert(name, { ...labels, expr })),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(some, some, (before, after) => {
        const pairs = pairAlerts(before, after);
        const sides = (side: 'before' | 'after') => pairs.flatMap((pair) => pair[side] ?? []);
        expect(new Set(sides('before'))).toEqual(new Set(before));
        expect(sides('before')).toHaveLength(before.length);
        expect(sides('after')).toHaveLength(after.length);
        for (const pair of pairs)
          expect(pair.before?.name ?? pair.after?.name).toBe(pair.after?.name ?? pair.before?.name);
      }),
    );
  });

  test('must be paired within the time of a test when 50,000 share a name', () => {
    const many = (expr: string) =>
      Array.from({ length: 50_000 }, (_, at) => alert('Down', { expr, labels: { at: `${at}` } }));
    const { added, removed, changed } = alertChanges(pairAlerts(many('up == 0'), many('up == 1')));
    expect([added.length, removed.length, changed.length]).toEqual([0, 0, 50_000]);
  });
});
