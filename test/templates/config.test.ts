import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { render } from '../../scripts/render/render.ts';
import { loadTemplates } from '../../scripts/render/templates.ts';
import { stackSchema } from '../../stack/config.ts';

/** A rendered file of a stack of these keys, parsed. */
async function rendered<T>(service: string, path: string, keys: object = {}): Promise<T> {
  const loaded = {
    config: stackSchema.parse(keys),
    path: '/stack/stack.yml',
    folder: '/stack',
    locate: () => undefined,
    userFiles: [],
  };
  const rendering = render(loaded, await loadTemplates(undefined));
  if (!rendering.ok) throw new Error(JSON.stringify(rendering.error));
  const files = rendering.value.services.find((rendered) => rendered.service.name === service)?.files ?? [];
  const file = files.find((rendered) => rendered.path === path);
  if (file === undefined) throw new Error(`${service} has no ${path}`);
  return parse(String(file.content)) as T;
}

interface PrometheusYml {
  readonly global: Readonly<Record<string, unknown>>;
  readonly alerting?: { readonly alertmanagers: readonly unknown[] };
  readonly scrape_configs: readonly ({ readonly job_name: string } & Readonly<Record<string, unknown>>)[];
}

interface Datasources {
  readonly prune: boolean;
  readonly datasources: readonly (Readonly<Record<string, unknown>> & { readonly jsonData: object })[];
}

describe('the shipped prometheus.yml', () => {
  it('must scrape the Pushgateway every 10 seconds with honor_labels', async () => {
    const { scrape_configs } = await rendered<PrometheusYml>('prometheus', 'prometheus.yml', {
      prometheus: { scrape_interval: '1m' },
    });
    expect(scrape_configs.find(({ job_name }) => job_name === 'pushgateway')).toEqual({
      job_name: 'pushgateway',
      scrape_interval: '10s',
      honor_labels: true,
      static_configs: [{ targets: ['pushgateway:9091'] }],
    });
  });

  it("must have a job for each service with metrics, named after it, before the user's jobs", async () => {
    const own = { job_name: 'node', static_configs: [{ targets: ['host.docker.internal:9100'] }] };
    const { scrape_configs } = await rendered<PrometheusYml>('prometheus', 'prometheus.yml', {
      sink: { enabled: true },
      prometheus: { scrape_configs: [own] },
    });
    const jobs = scrape_configs.map(({ job_name }) => job_name);
    expect(jobs).toEqual(['pushgateway', 'prometheus', 'alertmanager', 'grafana', 'node']);
    expect(scrape_configs.at(-1)).toEqual(own);
  });

  it("must send alerts to the stack's Alertmanager, if any", async () => {
    const { alerting } = await rendered<PrometheusYml>('prometheus', 'prometheus.yml');
    expect(alerting?.alertmanagers).toEqual([{ static_configs: [{ targets: ['alertmanager:9093'] }] }]);
    const without = await rendered<PrometheusYml>('prometheus', 'prometheus.yml', { alertmanager: { enabled: false } });
    expect(without).not.toHaveProperty('alerting');
  });

  it('must leave out keys that stack.yml does not set', async () => {
    const yml = await rendered<PrometheusYml>('prometheus', 'prometheus.yml');
    expect(yml.global).toEqual({ scrape_interval: '15s', evaluation_interval: '15s' });
    expect(Object.keys(yml)).toEqual(['global', 'rule_files', 'alerting', 'scrape_configs']);
  });
});

describe('the shipped Grafana provisioning', () => {
  it('must give each datasource the uid of the dashboards, and prune removed ones', async () => {
    const folder = 'provisioning/datasources';
    const prometheus = await rendered<Datasources>('grafana', `${folder}/prometheus.yml`, {
      prometheus: { scrape_interval: '30s' },
    });
    expect(prometheus.prune).toBe(true);
    expect(prometheus.datasources).toMatchObject([
      {
        uid: 'prometheus',
        url: 'http://prometheus:9090',
        isDefault: true,
        jsonData: { timeInterval: '30s', alertmanagerUid: 'alertmanager' },
      },
    ]);
    const alertmanager = await rendered<Datasources>('grafana', `${folder}/alertmanager.yml`);
    expect(alertmanager.prune).toBe(true);
    expect(alertmanager.datasources).toMatchObject([
      { uid: 'alertmanager', url: 'http://alertmanager:9093', jsonData: { implementation: 'prometheus' } },
    ]);
  });

  it('must have no single $, which Grafana would expand as a variable', async () => {
    for (const path of ['datasources/prometheus.yml', 'datasources/alertmanager.yml', 'dashboards/promstack.yml']) {
      const values = JSON.stringify(await rendered('grafana', `provisioning/${path}`));
      expect(values.replaceAll('$$', ''), path).not.toContain('$');
    }
  });

  it('must load dashboards from their rendered folder, without file events', async () => {
    const { providers } = await rendered<{ providers: readonly object[] }>(
      'grafana',
      'provisioning/dashboards/promstack.yml',
    );
    const paths = ['', '/.more/1', '/.more/2', '/.more/3'].map((folder) => `/etc/promstack/dashboards${folder}`);
    expect(providers).toMatchObject(
      paths.map((path) => ({
        type: 'file',
        updateIntervalSeconds: 300,
        options: { path, foldersFromFilesStructure: true },
      })),
    );
  });
});
