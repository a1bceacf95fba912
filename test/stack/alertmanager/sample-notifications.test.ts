import { expect, test } from 'vitest';
import type { AlertRule } from '../../../stack/alert.ts';
import { sampleNotifications } from '../../../stack/alertmanager/sample-notifications.ts';

const rule = (
  name: string,
  labels: AlertRule['labels'] = {},
  annotations: AlertRule['annotations'] = {},
): AlertRule => ({
  name,
  file: 'rules/a.yml',
  group: 'a',
  expr: 'up == 0',
  holdFor: '0s',
  keepFiringFor: '0s',
  labels,
  annotations,
  sent: { ...labels, alertname: name },
});

test('rules that differ only in name must share notifications, each once firing and once resolved', () => {
  const samples = sampleNotifications(
    [rule('A', { severity: 'page' }), rule('B', { severity: 'page' }), rule('C', { severity: 'info' })],
    () => false,
  );
  expect(samples.map(({ status, alerts }) => [status, ...alerts.map(({ labels }) => labels['alertname'])])).toEqual([
    ['firing', 'A', 'B'],
    ['resolved', 'A', 'B'],
    ['firing', 'C'],
    ['resolved', 'C'],
  ]);
  expect(samples[0]).toMatchObject({ groupLabels: {}, commonLabels: { severity: 'page', job: 'sample' } });
  expect(samples[2]).toMatchObject({ groupLabels: { alertname: 'C' } });
});

test('a rule that a template names must have its own notification', () => {
  const samples = sampleNotifications([rule('A'), rule('B'), rule('C')], (name) => name === 'B');
  const names = samples.map(({ alerts }) => alerts.map(({ labels }) => labels['alertname']).join());
  expect(new Set(names)).toEqual(new Set(['A,C', 'B']));
});

test('templates that Prometheus expands must be replaced by samples', () => {
  const [sample] = sampleNotifications(
    [rule('A', {}, { summary: '{{ $labels.instance }} is at {{ $value }}' })],
    () => false,
  );
  expect(sample?.alerts[0]?.annotations).toEqual({ summary: '42 is at 42' });
});

test('many kinds of alerts must share a few notifications, without leaving any out', () => {
  const rules = Array.from({ length: 500 }, (_, at) => rule(`Rule${at}`, { service: `service-${at}` }));
  const samples = sampleNotifications(rules, () => false);
  expect(samples.length).toBe(48);
  const names = new Set(samples.flatMap(({ alerts }) => alerts.map(({ labels }) => labels['alertname'])));
  expect(names.size).toBe(500);
});

test('a stack without rules must have a sample all the same', () => {
  expect(sampleNotifications([], () => false)).toHaveLength(2);
});
