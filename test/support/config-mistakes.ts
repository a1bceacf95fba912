/** Sections of stack.yml that promtool refuses without saying where; « marks each place it must be reported at. */
export const prometheusMistakes: readonly string[] = [
  `
scrape_configs:
  - job_name: fine
    static_configs: [{targets: [a:1]}]
  - job_name: node
    relabel_configs:
      - source_labels: [a]
        target_label: b
      - «source_labels: [x]
        regex: y
  - job_name: last
`,
  `
scrape_configs:
  - job_name: a
    relabel_configs:
      - source_labels: [x]
        action: «hashmod
        target_label: t
`,
  `
scrape_configs:
  - job_name: a
    metric_relabel_configs:
      - «source_labels: [x]
        action: labeldrop
        regex: y
`,
  `
scrape_configs:
  - job_name: a
    metric_relabel_configs:
      - action: «explode
`,
  `
scrape_configs:
  - job_name: a
    relabel_configs:
      - source_labels: [x]
        regex: «"(unclosed"
        action: keep
`,
  `
scrape_configs:
  - job_name: a
    relabel_configs:
      - «
`,
  `
scrape_configs:
  - job_name: a
    basic_auth: {username: a, password: b}
    «authorization: {credentials: c}
`,
  `
scrape_configs:
  - job_name: a
    basic_auth: {username: a, password: b, password_file: «/x}
`,
  `
scrape_configs:
  - job_name: a
    scrape_interval: 5s
    scrape_timeout: «10s
`,
  `
scrape_configs:
  - job_name: a
    «scrape_protocols: [Nonsense]
`,
  `
scrape_configs:
  - job_name: a
    scrape_protocols: [PrometheusText0.0.4, «PrometheusText0.0.4]
`,
  `
scrape_configs:
  - job_name: a
    fallback_scrape_protocol: «Nonsense
`,
  `
scrape_configs:
  - job_name: a
    metric_name_validation_scheme: «nonsense
`,
  `
scrape_configs:
  - job_name: a
    metric_name_escaping_scheme: «nonsense
`,
  `
scrape_configs:
  - job_name: a
    static_configs: [{targets: [b:1]}, {targets: [«"http://a/b"]}]
`,
  `
scrape_configs:
  - job_name: a
    tls_config: {cert_file: «/nowhere/a.pem, key_file: /nowhere/b.pem}
`,
  `
scrape_configs:
  - job_name: a
    tls_config: {cert_file: «/etc/passwd}
`,
  `
scrape_configs:
  - job_name: a
    authorization: {credentials_file: «/nowhere/token}
`,
  `
scrape_configs:
  - job_name: a
    authorization: {type: «Basic, credentials: x}
`,
  `
scrape_configs:
  - job_name: a
    proxy_url: «"http://[bad"
`,
  `
scrape_configs:
  - job_name: a
    proxy_from_environment: true
    proxy_url: «http://a
`,
  `
scrape_configs:
  - job_name: a
    dns_sd_configs:
      - names: [a]
        port: 1
        type: A
      - «type: A
        port: 1
`,
  `
scrape_configs:
  - job_name: a
    dns_sd_configs:
      - names: [a]
        type: «A
`,
  `
scrape_configs:
  - job_name: a
    file_sd_configs:
      - refresh_interval: 1m
        files: [«a.txt]
`,
  `
scrape_configs:
  - job_name: a
    file_sd_configs:
      - «refresh_interval: 1m
`,
  `
scrape_configs:
  - job_name: a
    http_sd_configs:
      - «refresh_interval: 1m
`,
  `
scrape_configs:
  - job_name: a
    http_sd_configs:
      - «url: ftp://x
`,
  `
scrape_configs:
  - job_name: a
    kubernetes_sd_configs:
      - role: «pods
`,
  `
scrape_configs:
  - job_name: a
    kubernetes_sd_configs:
      - «namespaces: {names: [a]}
`,
  `
scrape_configs:
  - job_name: a
    kubernetes_sd_configs:
      - role: pod
        kubeconfig_file: /x
        api_server: «http://a
`,
  `
scrape_configs:
  - job_name: a
    ec2_sd_configs:
      - region: x
        filters: [«{name: a, values: []}]
`,
  `
scrape_configs:
  - job_name: a
    static_configs:
      - targets: [a:1]
        labels: {"": «b}
`,
  `
scrape_configs:
  - job_name: a
    http_headers: {«Host: {values: [a]}}
`,
  `
remote_write:
  - url: http://fine
  - «name: second
`,
  `
remote_write:
  - url: http://fine
    name: same
  - «url: http://fine
    name: same
`,
  `
remote_write:
  - url: http://fine
    headers: {Authorization: «x}
`,
  `
remote_write:
  - url: http://fine
    headers: {Content-Encoding: «x}
`,
  `
remote_write:
  - url: http://fine
    basic_auth: {username: a, password: b}
    «sigv4: {region: x, access_key: a, secret_key: b}
`,
  `
remote_write:
  - url: http://fine
    write_relabel_configs:
      - «source_labels: [a]
        action: replace
`,
  `
remote_write:
  - url: http://fine
    protobuf_message: «nonsense
`,
  `
remote_read:
  - url: http://fine
  - «read_recent: true
`,
  `
remote_read:
  - url: «"http://[bad"
`,
  `
scrape_configs:
  - job_name: one
    relabel_configs:
      - «source_labels: [x]
  - job_name: two
    dns_sd_configs:
      - names: [a]
        type: «A
remote_write:
  - «name: x
`,
];

/** The same for amtool. */
export const alertmanagerMistakes: readonly string[] = [
  `
receivers:
  - name: fine
  - name: ops
    slack_configs:
      - «channel: "#a"
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    slack_configs:
      - api_url: http://a
        api_url_file: «/b
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    email_configs:
      - «send_resolved: true
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    email_configs:
      - «to: a@b.c
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    email_configs:
      - to: a@b.c
        from: a@b.c
        smarthost: «mail.b.c
route: {receiver: ops}
`,
  `
global: {smtp_smarthost: «mail}
receivers: [{name: ops}]
route: {receiver: ops}
`,
  `
global: {slack_api_url: http://a, slack_api_url_file: «/b}
receivers: [{name: ops}]
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    email_configs:
      - to: a@b.c
        from: a@b.c
        smarthost: mail.b.c:25
        headers: {subject: a, Subject: «b}
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    webhook_configs:
      - url: http://a
      - «send_resolved: true
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    webhook_configs:
      - url: http://a
        url_file: «/b
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    webhook_configs:
      - «url: ftp://a
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    webhook_configs:
      - url: http://a
        http_config: {basic_auth: {username: a}, «authorization: {credentials: b}}
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    pagerduty_configs:
      - «description: x
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    opsgenie_configs:
      - «message: x
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    opsgenie_configs:
      - api_key: x
        responders: [«{type: team}]
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    victorops_configs:
      - «api_key: a
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    pushover_configs:
      - «token: a
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    pushover_configs:
      - «user_key: a
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    telegram_configs:
      - «bot_token: a
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    telegram_configs:
      - bot_token: a
        chat_id: 1
        parse_mode: «Nonsense
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    discord_configs:
      - «title: a
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    msteams_configs:
      - «title: a
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    sns_configs:
      - «subject: a
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    webex_configs:
      - «message: a
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    wechat_configs:
      - corp_id: a
        api_secret: b
        message_type: «nonsense
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    slack_configs:
      - api_url: http://a
        actions: [«{type: button}]
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    slack_configs:
      - api_url: http://a
        fields: [{title: a, value: b}, «{title: a}]
route: {receiver: ops}
`,
  `
receivers:
  - name: ops
    slack_configs:
      - «
route: {receiver: ops}
`,
  `
receivers: [{name: ops}, {name: dev}]
route:
  receiver: ops
  routes:
    - matchers: [a="b"]
      receiver: dev
    - matchers: [a="c"]
      receiver: dev
      routes:
        - matchers: [c="d"]
          group_by: [x, «x]
`,
  `
receivers: [{name: ops}]
route:
  receiver: ops
  group_by: ["...", «x]
`,
  `
receivers: [{name: ops}]
route:
  receiver: ops
  group_interval: «0s
`,
  `
receivers: [{name: ops}]
route:
  receiver: ops
  routes:
    - matchers: [a="b"]
    - matchers: [a="b"]
      repeat_interval: «0s
`,
  `
receivers: [{name: ops}]
route:
  receiver: ops
  routes:
    - match_re: {a: «"(b"}
`,
  `
receivers: [{name: ops}]
route:
  receiver: ops
  routes:
    - match: {a: b}
    - match: {"0bad": «b}
`,
  `
receivers: [{name: ops}]
route:
  receiver: ops
  routes:
    - matchers: ['a="b"', «'a=~"(b"']
`,
  `
receivers: [{name: ops}]
route:
  receiver: ops
  routes:
    - matchers: [«"nonsense"]
`,
  `
receivers: [{name: ops}]
route:
  receiver: ops
  routes:
    - receiver: «nobody
`,
  `
receivers: [{name: ops}]
route:
  receiver: ops
  routes:
    - mute_time_intervals: [«never]
`,
  `
receivers: [{name: ops}]
route: {receiver: ops}
inhibit_rules:
  - source_matchers: [a="b"]
    target_matchers: [a="c"]
  - source_matchers: [«"nonsense"]
    target_matchers: [a="c"]
`,
  `
receivers: [{name: ops}]
route: {receiver: ops}
time_intervals:
  - name: fine
    time_intervals: [{weekdays: [monday]}]
  - name: bad
    time_intervals: [{weekdays: [«frunday]}]
`,
  `
receivers: [{name: ops}]
route: {receiver: ops}
time_intervals:
  - name: bad
    time_intervals: [{times: [{start_time: «"25:00", end_time: "26:00"}]}]
`,
  `
receivers: [{name: ops}]
route: {receiver: ops}
time_intervals:
  - name: bad
    time_intervals: [{location: «Nowhere/City}]
`,
  `
receivers: [{name: ops}]
route: {receiver: ops}
time_intervals:
  - name: bad
    time_intervals: [{days_of_month: ["1:5", «"40"]}]
`,
  `
receivers:
  - name: ops
    slack_configs: [«{channel: a}]
  - name: dev
    email_configs:
      - «to: x@y.z
route:
  receiver: ops
  routes:
    - group_interval: «0s
`,
];

/** Rule files. */
export const ruleMistakes: readonly string[] = [
  `# summary: of DiskFull
groups:
  - name: first
    rules: [{alert: DiskFull, expr: up}]
  - name: second
    rules:
      - record: some
        expr: up
      - alert: DiskFull
        expr: up
        annotations:
          fine: all
          summary: «"{{ nofunc }}"
        labels: {team: «"{{ $labels.a"}
`,
  `groups:
  - name: a
    labels: {__name__: «x}
`,
  `groups:
  - name: a
    rules: [{alert: A, expr: up, labels: {"": «x}, annotations: {"": «y}}]
`,
];

/** Files prometheus.yml that take the place of the shipped one. */
export const ownFileMistakes: readonly string[] = [
  `rule_files: [rules/*.yml]
scrape_configs:
  - job_name: a
    relabel_configs: &both
      - ««source_labels: [x]
  - job_name: b
    metric_relabel_configs: *both
`,
  `rule_files: [rules/*.yml]
scrape_configs:
  - job_name: 010
    static_configs: [{targets: [a:1]}]
  - «job_name: 010
`,
  `rule_files: [rules/*.yml]
global:
  scrape_interval: 5s
  scrape_timeout: «10s
`,
  `rule_files: [rules/*.yml]
alerting:
  alert_relabel_configs:
    - {source_labels: [a], target_label: b}
    - «{source_labels: [a]}
  alertmanagers:
    - scheme: http
      static_configs: [{targets: [«"http://a:1/x"]}]
`,
  `rule_files: [rules/*.yml]
«tracing:
  client_type: grpc
`,
];
