import pc from 'picocolors';
import { expect, it } from 'vitest';
import { printAlertRoute } from '../../../../scripts/cli/print/alert-route.ts';
import { traceAlert } from '../../../../scripts/inspect/alert-route.ts';

it.each([
  ['{}', {}, 'any alert'],
  ['equal labels', { equal: ['job', 'instance'] }, 'any alert with equal job, instance'],
  ['a source', { source_matchers: ['severity="critical"'] }, 'an alert with severity="critical"'],
  ['a source and equal labels', { source_match: { a: 'b' }, equal: ['job'] }, 'an alert with a="b" and equal job'],
])('an inhibit rule with %s must say which alerts would inhibit', (_what, rule, expected) => {
  const file = { route: { receiver: 'a' }, inhibit_rules: [{ ...rule, target_matchers: ['alertname="A"'] }] };
  const trace = traceAlert({ alertname: 'A' }, { file, receivers: [], isLive: false }, undefined, new Date(0));
  if (trace === undefined) throw new Error('the route is valid');
  expect(printAlertRoute(trace, pc.createColors(false))).toContain(`would be inhibited by ${expected}\n`);
});
