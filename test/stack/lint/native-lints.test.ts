import { describe, expect, it } from 'vitest';
import { lint } from '../../support/lint.ts';

const receiver = (integration: string): string =>
  `alertmanager:\n  route: {receiver: a}\n  receivers:\n    - name: a\n      ${integration}\n`;

describe('plain-secret', () => {
  it.each([
    ['api_url', receiver('slack_configs: [{api_url: https://hooks.slack.com/services/T0/B0/XX}]')],
    ['routing_key', receiver('pagerduty_configs: [{routing_key: abc}]')],
    ['service_key', receiver('pagerduty_configs: [{service_key: 0123456}]')],
    ['bot_token', receiver('telegram_configs: [{bot_token: "1:AA", chat_id: 1}]')],
    ['webhook_url', receiver('discord_configs: [{webhook_url: https://discord.com/api/webhooks/1/x}]')],
    [
      'password',
      receiver('webhook_configs: [{url: http://x:1/a, http_config: {basic_auth: {username: u, password: p}}}]'),
    ],
    ['credentials', receiver('webhook_configs: [{url: http://x:1/a, http_config: {authorization: {credentials: t}}}]')],
    ['url', receiver('webhook_configs: [{url: "https://oapi.dingtalk.com/robot/send?access_token=abc"}]')],
    [
      'url',
      receiver(
        'webhook_configs: [{url: https://open.feishu.cn/open-apis/bot/v2/hook/6f1e0d3c-aaaa-4bbb-8ccc-0123456789ab}]',
      ),
    ],
    ['url', receiver('webhook_configs: [{url: "http://user:secret@x:1/a"}]')],
    ['smtp_auth_password', 'alertmanager: {global: {smtp_auth_password: p}}\n'],
    ['slack_api_url', 'alertmanager: {global: {slack_api_url: https://hooks.slack.com/services/T0/B0/XX}}\n'],
    ['password', 'prometheus: {scrape_configs: [{job_name: a, basic_auth: {username: u, password: p}}]}\n'],
    ['credentials', 'prometheus: {remote_write: [{url: http://x:1/w, authorization: {credentials: t}}]}\n'],
    ['admin_password', 'grafana: {admin_password: long-enough}\n'],
  ])('must warn about %s in %s', async (key, stack) => {
    expect(await lint({ stack })).toEqual([
      expect.stringMatching(
        new RegExp(
          `^warning plain-secret stack.yml:\\d+:\\d+\\+\\d+ ${key} is plain text in stack.yml, where everyone can read it \\(write !env NAME or !file PATH instead\\)$`,
        ),
      ),
    ]);
  });

  it('must warn about headers of requests, and passwords in URLs', async () => {
    const header = '{Authorization: {values: [Bearer abc]}, X-Scope-OrgID: {values: [a]}}';
    expect(await lint({ stack: `prometheus: {scrape_configs: [{job_name: a, http_headers: ${header}}]}\n` })).toEqual([
      expect.stringContaining(
        'Authorization is plain text in stack.yml, where everyone can read it (write !env NAME under "secrets" instead)',
      ),
    ]);
    const proxy = 'webhook_configs: [{url: http://x:1/a, http_config: {proxy_url: "http://u:secret@proxy:3128"}}]';
    expect(await lint({ stack: receiver(proxy) })).toEqual([expect.stringContaining('proxy_url is plain text')]);
  });

  it.each(['SLACK_URL', '{SLACK_URL}'])('must say that no server replaces the variable $%s', async (name) => {
    expect(await lint({ stack: receiver(`slack_configs: [{api_url: "$${name}"}]`) })).toEqual([
      expect.stringContaining(
        'api_url is sent as it is written: the server does not replace variables of the environment (write !env SLACK_URL instead)',
      ),
    ]);
  });

  it('must say so of a variable inside a URL', async () => {
    const url = `https://api.telegram.org/bot$${'{TOKEN}'}/sendMessage`;
    expect(await lint({ stack: receiver(`webhook_configs: [{url: "${url}"}]`) })).toEqual([
      expect.stringContaining('(write !env TOKEN instead, with the whole text in the variable)'),
    ]);
  });

  it.each([
    'webhook_configs: [{url: "http://host.docker.internal:8080/alerts"}]',
    'webhook_configs: [{url: "http://receiver:5001/"}]',
    'webhook_configs: [{url: "https://alerts.example.com/prometheus/alertmanager-notifications"}]',
    'webhook_configs: [{url_file: /etc/promstack/secrets/x}]',
    'email_configs: [{to: a@example.com, auth_username: a}]',
    'telegram_configs: [{bot_token_file: /etc/promstack/secrets/x, chat_id: -100123}]',
    'slack_configs: [{api_url: ""}]',
  ])('must not warn about %s', async (integration) => {
    expect(await lint({ stack: receiver(integration) })).toEqual([]);
  });

  it('must be silenced by a comment', async () => {
    const stack = 'grafana:\n  admin_password: long-enough # promstack: ignore plain-secret\n';
    expect(await lint({ stack })).toEqual([]);
  });
});

describe('proxy-from-environment', () => {
  it.each([
    ['Prometheus', 'prometheus: {scrape_configs: [{job_name: a, proxy_from_environment: true}]}\n'],
    ['Prometheus', 'prometheus: {remote_write: [{url: http://x/w, proxy_from_environment: True}]}\n'],
    ['Alertmanager', receiver('webhook_configs: [{url: http://x:1/a, http_config: {proxy_from_environment: true}}]')],
    ['Alertmanager', 'alertmanager: {global: {http_config: {proxy_from_environment: true}}}\n'],
  ])('must warn about it in %s', async (title, stack) => {
    expect(await lint({ stack })).toEqual([
      expect.stringContaining(
        `proxy_from_environment has no effect: no HTTP_PROXY, HTTPS_PROXY or NO_PROXY is set in ${title}'s container`,
      ),
    ]);
  });

  it('must not warn about false', async () => {
    expect(
      await lint({ stack: 'prometheus: {scrape_configs: [{job_name: a, proxy_from_environment: false}]}\n' }),
    ).toEqual([]);
  });
});
