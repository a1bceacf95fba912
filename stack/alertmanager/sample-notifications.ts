import type { AlertRule } from '../alert.ts';
import { type Labels, labelOf } from './matcher.ts';

/** The data of a notification template (template.Data of Alertmanager). */
export interface Notification {
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly alerts: readonly SampleAlert[];
  readonly groupLabels: Labels;
  readonly commonLabels: Labels;
  readonly commonAnnotations: Labels;
  readonly externalURL: string;
}

interface SampleAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly fingerprint: string;
}

/** More kinds of alerts than this share notifications. */
const mostKinds = 24;

/**
 * Notifications in which each rule's alert appears once firing and once resolved. Rules that templates cannot distinguish, because only
 * their names and texts differ, share a notification; a rule for which `isNamed` is true has its own.
 */
export function sampleNotifications(
  rules: readonly AlertRule[],
  isNamed: (alertname: string) => boolean,
): readonly Notification[] {
  const kinds = new Map<string, SampleAlert[]>();
  for (const rule of rules) {
    const alert = toAlert(rule);
    const { alertname = '', ...labels } = alert.labels;
    const kind = JSON.stringify([
      isNamed(alertname) ? alertname : '',
      entries(labels),
      Object.keys(alert.annotations).sort(),
    ]);
    const sameKind = kinds.get(kind);
    if (sameKind === undefined) kinds.set(kind, [alert]);
    else sameKind.push(alert);
  }
  if (kinds.size === 0) kinds.set('', [toAlert(example)]);
  const groups: SampleAlert[][] = [];
  [...kinds.values()].forEach((alerts, at) => {
    groups[at % mostKinds] = [...(groups[at % mostKinds] ?? []), ...alerts];
  });
  return groups.flatMap((alerts) => [toNotification('firing', alerts), toNotification('resolved', alerts)]);
}

/** For stacks without rules, whose Alertmanager gets alerts from elsewhere. */
const example: Pick<AlertRule, 'name' | 'sent' | 'annotations' | 'labels'> = {
  name: 'Example',
  labels: { severity: 'warning' },
  sent: { alertname: 'Example', severity: 'warning' },
  annotations: { summary: 'An example', description: 'The description of an alert' },
};

function toAlert({ name, labels, sent, annotations }: typeof example): SampleAlert {
  return {
    status: 'firing',
    labels: { job: 'sample', instance: 'sample:9100', ...rendered(labels), ...sent },
    annotations: rendered(annotations),
    startsAt: '2026-01-02T03:04:05Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: `http://prometheus.example/graph?g0.expr=${encodeURIComponent(name)}`,
    fingerprint: '0123456789abcdef',
  };
}

function toNotification(status: Notification['status'], firing: readonly SampleAlert[]): Notification {
  const alerts = firing.map((alert) =>
    status === 'firing' ? alert : { ...alert, status, endsAt: '2026-01-02T04:00:00Z' },
  );
  const commonLabels = common(alerts.map(({ labels }) => labels));
  const { alertname } = commonLabels;
  return {
    receiver: 'sample',
    status,
    alerts,
    groupLabels: alertname === undefined ? {} : { alertname },
    commonLabels,
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    externalURL: 'http://alertmanager.example',
  };
}

/** Prometheus renders templates in labels and annotations before it sends an alert. */
function rendered(texts: Labels): Labels {
  return Object.fromEntries(entries(texts).map(([name, text]) => [name, text.replaceAll(/\{\{.*?\}\}/gs, '42')]));
}

function common(all: readonly Labels[]): Labels {
  const [first = {}, ...rest] = all;
  return Object.fromEntries(
    entries(first).filter(([name, value]) => rest.every((labels) => labelOf(labels, name) === value)),
  );
}

const entries = (labels: Labels): [string, string][] => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
