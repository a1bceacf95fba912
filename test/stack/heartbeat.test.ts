import { describe, expect, it } from 'vitest';
import { noteRendering } from '../../scripts/check/lint.ts';
import { revealed } from '../../scripts/render/show.ts';
import { alertmanager } from '../../stack/alertmanager/service.ts';
import { heartbeatAlert } from '../../stack/heartbeat/heartbeat.ts';
import { prometheus } from '../../stack/prometheus/service.ts';
import { printed, renderingOf } from '../support/own-tests.ts';

const url = 'https://hc.example.com/0c5f';
const receivers =
  'alertmanager:\n  receivers: [{name: team, webhook_configs: [{url: "http://x"}]}]\n  route: {receiver: team}\n';

const filesOf = async (stack: string, name: string) => {
  const { services } = await renderingOf({ stack });
  return services.find(({ service }) => service.name === name)?.files ?? [];
};
const textOf = async (stack: string, name: string, path: string): Promise<string> => {
  const file = (await filesOf(stack, name)).find((each) => each.path === path);
  return file === undefined ? '' : revealed(file);
};

describe('a heartbeat', () => {
  const stack = `${receivers}prometheus: {shipped_rules: false}\nheartbeat: {url: "${url}", every: 2m}\n`;

  it('must be an alert that always fires, also without the shipped rules', async () => {
    const alerts = prometheus.alerts?.(await filesOf(stack, 'prometheus'));
    expect(alerts).toMatchObject([{ name: heartbeatAlert, expr: 'vector(1)', holdFor: '0s' }]);
  });

  it('must notify its own receiver alone, and change no other route', async () => {
    const routing = alertmanager.alertRouting?.(await filesOf(stack, 'alertmanager'));
    expect(routing?.({ alertname: heartbeatAlert, severity: 'none' }).certain).toEqual(['promstack-heartbeat']);
    expect(routing?.({ alertname: 'Other' }).certain).toEqual(['team']);
    const rendered = await textOf(stack, 'alertmanager', 'alertmanager.yml');
    expect(rendered).toContain('group_interval: 2m');
    expect(rendered).toContain('repeat_interval: 60000ms');
  });

  it('must have its URL in a file that only the server reads, and in no other', async () => {
    const files = await filesOf(stack, 'alertmanager');
    const [secret, ...others] = files.filter((file) => revealed(file).includes('0c5f'));
    expect(others).toEqual([]);
    expect(secret).toMatchObject({ path: 'secrets/heartbeat-url', mode: 0o400 });
    expect(String(secret?.content)).not.toContain('0c5f');
    const path = '/etc/promstack/current/secrets/heartbeat-url';
    expect(await textOf(stack, 'alertmanager', 'alertmanager.yml')).toContain(`url_file: ${path}`);
  });
});

describe('receivers without a heartbeat', () => {
  const notesOf = async (stack: string, rules?: string) =>
    printed(noteRendering(await renderingOf({ stack, ...(rules === undefined ? {} : { rules: { 'a.yml': rules } }) })));
  const own = (expr: string): string => `groups: [{name: a, rules: [{alert: Watchdog, expr: "${expr}"}]}]`;
  const withRules = `${receivers}prometheus: {rules: [a.yml]}\n`;

  it('must be noted, where a comment does not silence it', async () => {
    expect(await notesOf(receivers)).toEqual([expect.stringMatching(/^note no-heartbeat \S+:2:3\+9 when Prometheus/)]);
    const silenced = receivers.replace('receivers:', '# promstack: ignore no-heartbeat\n  receivers:');
    expect(await notesOf(silenced)).toEqual([]);
  });

  it.each([`${receivers}heartbeat: {url: "https://x"}`, 'sink: {enabled: true}', 'alertmanager: {enabled: false}'])(
    'must not be noted: %s',
    async (stack) => {
      expect(await notesOf(stack)).toEqual([]);
    },
  );

  it.each(['vector(1)', 'vector( 1 ) > 0', 'vector(1) == 1'])(
    'must not be noted beside an own one: %s',
    async (expr) => {
      expect(await notesOf(withRules, own(expr))).toEqual([]);
      expect(await notesOf(withRules, own(`up * ${expr}`))).toHaveLength(1);
    },
  );
});
