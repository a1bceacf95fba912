import { describe, expect, it } from 'vitest';
import { render } from '../../scripts/render/render.ts';
import { loadTemplates } from '../../scripts/render/templates.ts';
import { loadedFrom, templatesOf } from '../support/loaded.ts';
import { printed } from '../support/own-tests.ts';

const shipped = await loadTemplates(undefined, '/stack');

/** The warnings about a template of the user's in place of the shipped one. */
function warningsOf(path: string, text: string, stack = ''): readonly string[] {
  const [own] = templatesOf({ [`own:${path}`]: text }).files;
  const files = shipped.files.map((file) =>
    own !== undefined && `${file.service}/${file.path}` === path ? own : file,
  );
  const result = render(loadedFrom(`grafana: {enabled: false}\n${stack}`), { ...shipped, files });
  return printed(result.ok ? result.warnings : result.error);
}

const rules = 'rule_files: [rules/*.yml]\n';
const scrapes = 'scrape_configs: [!spread contributed.scrapes]\n';
const alerting = 'alerting: {alertmanagers: [!spread contributed.alertmanagers]}\n';

describe("the user's own prometheus.yml", () => {
  const warn = (text: string, stack?: string): readonly string[] =>
    warningsOf('prometheus/prometheus.yml', rules + text, stack);

  it.each([
    [scrapes, '1:1+25', 'names no Alertmanager', `${alerting.trim()}" to the file`],
    [
      `${scrapes}alerting:\n`,
      '3:1+8',
      'names no Alertmanager',
      'alertmanagers: [!spread contributed.alertmanagers]" to alerting',
    ],
    [
      `${scrapes}alerting: {alert_relabel_configs: []}\n`,
      '3:1+8',
      'names no Alertmanager',
      'alertmanagers: [!spread contributed.alertmanagers]" to alerting',
    ],
    [
      `global:\n  external_labels: !value prometheus.external_labels\n${scrapes}alerting:\n  alertmanagers:\n    - static_configs: [{targets: [am.example.com:9093]}]\n`,
      '6:3+13',
      'names only others',
      '- !spread contributed.alertmanagers" to alerting.alertmanagers',
    ],
  ])('must send alerts to the Alertmanager of the stack: %j', (text, place, why, hint) => {
    expect(warn(text, 'prometheus: {external_labels: {a: b, c: d}}\n')).toEqual([
      `warning alerts-not-sent templates/prometheus/prometheus.yml:${place} no alert is sent to the Alertmanager of this stack: this file ${why} (add "${hint}; "# promstack: ignore alerts-not-sent" silences this)`,
    ]);
  });

  it.each([
    [
      'scrape_configs: []\n',
      'pushgateway, prometheus and alertmanager',
      '- !spread contributed.scrapes" to scrape_configs',
    ],
    ['', 'pushgateway, prometheus and alertmanager', '- !spread contributed.scrapes" to scrape_configs'],
    [
      'scrape_configs: [{job_name: a, static_configs: [{targets: [pushgateway:9091, localhost:9090]}]}]\n',
      'alertmanager',
      '- !spread contributed.scrapes" to scrape_configs',
    ],
  ])('must scrape the services of the stack: %j', (text, services, hint) => {
    expect(warn(alerting + text)).toEqual([
      expect.stringMatching(/^warning service-not-scraped templates\/prometheus\/prometheus.yml:\d+:1/),
    ]);
    expect(warn(alerting + text)[0]).toContain(
      ` no job of this file scrapes ${services} of this stack (add "${hint}; "# promstack: ignore service-not-scraped" silences this)`,
    );
  });

  it.each([
    alerting + scrapes,
    `${scrapes}alerting: {alertmanagers: !value contributed.alertmanagers}\n`,
    `${scrapes}alerting: {alertmanagers: [{static_configs: [{targets: [alertmanager:9093]}]}]}\n`,
    `${scrapes}alerting: {alertmanagers: [{dns_sd_configs: [{names: [alertmanager], type: A, port: 9093}]}]}\n`,
    `${alerting}scrape_config_files: [jobs/*.yml]\n`,
    `${scrapes}# promstack: ignore alerts-not-sent\nalerting: {}\n`,
    `${alerting}scrape_configs: [] # promstack: ignore service-not-scraped\n`,
  ])('must be accepted when it does, or when a comment silences the warning: %j', (text) => {
    expect(warn(text)).toEqual([]);
  });

  it('must not name services that the stack does not have', () => {
    expect(warn(scrapes, 'alertmanager: {enabled: false}\n')).toEqual([]);
    expect(warn(alerting, 'pushgateway: {enabled: false}\n')[0]).toContain('scrapes prometheus and alertmanager of');
  });

  it('must read the discovered targets', () => {
    const discovery = 'discovery: {labels: true}\n';
    const own = (more: string) => `${alerting}scrape_configs: [${more}]\n`;
    expect(warn(own('!spread contributed.scrapes'), discovery)).toEqual([]);
    const jobs = ['pushgateway:9091', 'prometheus:9090', 'alertmanager:9093'].map((target) => {
      return `{job_name: "${target}", static_configs: [{targets: ["${target}"]}]}`;
    });
    expect(warn(own(jobs.join(', ')))).toEqual([]);
    expect(warn(own(jobs.join(', ')), discovery)[0]).toContain('no job of this file scrapes the discovered targets (');
    expect(warn(own(''), discovery)[0]).toContain(
      'scrapes pushgateway, prometheus and alertmanager of this stack, nor the discovered targets (',
    );
  });

  it('may have a comment for all of the file above its first key', () => {
    const comment = '# promstack: ignore alerts-not-sent, service-not-scraped\n';
    expect(warningsOf('prometheus/prometheus.yml', comment + rules)).toEqual([]);
  });
});

describe("the user's own alertmanager.yml", () => {
  const warn = (receivers: string): readonly string[] =>
    warningsOf(
      'alertmanager/alertmanager.yml',
      `route: !value alertmanager.route\n${receivers}`,
      'sink: {enabled: true}\n',
    );

  it.each([
    'receivers: [!spread alertmanager.receivers]\n',
    'receivers: [{name: a, webhook_configs: [{url: http://x:80/}]}]\n',
  ])('must notify the sink: %j', (text) => {
    expect(warn(text)).toEqual([
      'warning sink-not-notified templates/alertmanager/alertmanager.yml:2:1+9 no receiver of this file notifies the sink of this stack (add "- !spread contributed.receivers" to receivers, and use the receiver "sink" in a route; "# promstack: ignore sink-not-notified" silences this)',
    ]);
  });

  it.each([
    'receivers: [!spread contributed.receivers]\n',
    'receivers: [{name: a, webhook_configs: [{url: http://sink:8080/cgi-bin/notify}]}]\n',
    'receivers: [{name: a, webhook_configs: [{url_file: /etc/promstack/secrets/url}]}]\n',
    'receivers: [] # promstack: ignore sink-not-notified\n',
  ])('must be accepted when it does, or may: %j', (text) => {
    expect(warn(text)).toEqual([]);
  });
});
