import { describe, expect, it } from 'vitest';
import { alertmanagerSecrets } from '../../../stack/alertmanager/secret-fields.ts';
import { prometheusSecrets } from '../../../stack/prometheus/secret-fields.ts';
import { maskSecrets } from '../../../stack/secrets/mask-secrets.ts';

describe('plain-text secrets in a config file', () => {
  it('must be masked where Prometheus masks them', () => {
    const text = `# the first line
scrape_configs:
  - job_name: a
    basic_auth: {username: ann, "password": 'it''s'} # kept
    http_headers:
      X-Key: {values: [seen], secrets: [one, "two"]}
  - job_name: password
    authorization:
      credentials: |
        two
        lines
    tls_config: &tls
      ca: seen
      key: >-
        folded
    static_configs: [{targets: [a:1], labels: {password: seen, token: seen}}]
  - job_name: b
    tls_config: {<<: *tls, key: other}
    consul_sd_configs: [{server: seen, token: t0ken}]
    password_file: seen
remote_write:
  - url: https://ann:pass%20word@metrics.example.com/write?x=y
    basic_auth:
      password:
`;
    const { text: shown, secrets } = maskSecrets(text, prometheusSecrets);
    expect(secrets).toEqual(["it's", 'one', 'two', 'two\nlines\n', 'folded', 'other', 't0ken', 'pass%20word']);
    expect(shown).toMatchInlineSnapshot(`
      "# the first line
      scrape_configs:
        - job_name: a
          basic_auth: {username: ann, "password": '[secret]'} # kept
          http_headers:
            X-Key: {values: [seen], secrets: ['[secret]', '[secret]']}
        - job_name: password
          authorization:
            credentials: '[secret]'
          tls_config: &tls
            ca: seen
            key: '[secret]'
          static_configs: [{targets: [a:1], labels: {password: seen, token: seen}}]
        - job_name: b
          tls_config: {<<: *tls, key: '[secret]'}
          consul_sd_configs: [{server: seen, token: '[secret]'}]
          password_file: seen
      remote_write:
        - url: https://ann:[secret]@metrics.example.com/write?x=y
          basic_auth:
            password:
      "
    `);
  });

  it('must be masked where Alertmanager masks them, except the host of a URL', () => {
    const text = `global: {smtp_auth_password: hunter2, slack_api_url: 'https://hooks.slack.com/services/T0/B0'}
receivers:
  - name: all
    pagerduty_configs: [{routing_key: 0123}]
    slack_configs: [{api_url: https://hooks.slack.com, channel: '#a'}]
    telegram_configs: [{bot_token: 1:abc, chat_id: 42}]
    webhook_configs: [{url: 'http://bot:8080/hooks/abc'}, {url: 'http://sink:8080/cgi-bin/notify'}]
`;
    expect(maskSecrets(text, alertmanagerSecrets, ['sink']).text).toMatchInlineSnapshot(`
      "global: {smtp_auth_password: '[secret]', slack_api_url: 'https://hooks.slack.com/[secret]'}
      receivers:
        - name: all
          pagerduty_configs: [{routing_key: '[secret]'}]
          slack_configs: [{api_url: https://hooks.slack.com, channel: '#a'}]
          telegram_configs: [{bot_token: '[secret]', chat_id: 42}]
          webhook_configs: [{url: 'http://bot:8080/[secret]'}, {url: 'http://sink:8080/cgi-bin/notify'}]
      "
    `);
  });

  it('must be masked once', () => {
    const once = maskSecrets('remote_write: [{url: "http://a:b@c", bearer_token: x}]\n', prometheusSecrets).text;
    expect(maskSecrets(once, prometheusSecrets)).toEqual({ text: once, secrets: [] });
  });

  it('must leave other texts unchanged, even invalid YAML', () => {
    for (const text of [
      '',
      'a: [b\n',
      'password: {\n',
      "basic_auth: {password: ''}\n",
      '{{ define "x" }}: password: y\n',
    ])
      expect(maskSecrets(text, prometheusSecrets)).toEqual({ text, secrets: [] });
  });
});
