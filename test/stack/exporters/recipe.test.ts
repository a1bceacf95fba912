import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { emptyFolder } from '../../support/promstack.ts';

/** The declaration that CONTRIBUTING.md shows. */
async function declarationOfRecipe(): Promise<string> {
  const page = await readFile(join(packageRoot(), 'CONTRIBUTING.md'), 'utf8');
  const [, code = ''] = /stack\/exporters\/queue\/exporter\.ts.*?```ts\n(.*?)\n *```/s.exec(page) ?? [];
  return code;
}

const rules = `groups:
  - name: queue
    rules:
      - {alert: QueueDown, expr: 'up{job="queue"} == 0'}
`;

const stack = `name: shop
grafana: {enabled: false}
exporters:
  queue:
    queues: [mails]
    instances:
      shop:
      crm: {queues: [calls, mails], port: 19999}
`;

const program = `
import { enabledServices } from './stack/services.ts';
import { renderStack } from './scripts/render/render-stack.ts';
const result = await renderStack({ cwd: process.argv[2], env: {} });
if (!result.ok || !result.value.rendering.ok) throw new Error(JSON.stringify(result));
const { services, config } = result.value.rendering.value;
const containers = services.filter(({ service }) => service.name.startsWith('queue')).map(({ container }) => container);
const files = services.flatMap((service) => service.files).map(({ path, content }) => [path, String(content)]);
console.log(JSON.stringify({ names: enabledServices(config).map(({ name }) => name), containers, files }));
`;

test('an exporter must work when it is made as CONTRIBUTING.md says: a folder of declarations, one of templates, a line', async () => {
  await using folder = await emptyFolder();
  const root = join(folder.path, 'promstack');
  for (const name of ['stack', 'scripts', 'templates', 'package.json', 'tsconfig.json']) {
    await cp(join(packageRoot(), name), join(root, name), { recursive: true });
  }
  await symlink(join(packageRoot(), 'node_modules'), join(root, 'node_modules'));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  await write('stack/exporters/queue/exporter.ts', await declarationOfRecipe());
  const registry = await readFile(join(root, 'stack/exporters/exporters.ts'), 'utf8');
  const withLine = registry
    .replace(/^import/m, "import { queue } from './queue/exporter.ts';\nimport")
    .replace('exporters: readonly Exporter[] = [', 'exporters: readonly Exporter[] = [queue, ');
  await write('stack/exporters/exporters.ts', withLine);
  await write('templates/exporters/queue/contribute/rules/queue.yml', rules);
  await write('render.ts', program);
  await write('shop/stack.yml', stack);

  const { stdout } = await execa(join(root, 'node_modules/.bin/tsx'), ['render.ts', join(root, 'shop')], { cwd: root });
  const { names, containers, files } = JSON.parse(stdout) as {
    names: readonly string[];
    containers: readonly unknown[];
    files: readonly (readonly [string, string])[];
  };
  expect(names).toEqual(['pushgateway', 'prometheus', 'alertmanager', 'queue-shop', 'queue-crm']);
  expect(containers).toMatchObject([
    { service: 'queue-shop', image: 'example/queue-exporter:v1.0.0', args: ['--queue=mails'], ports: [] },
    { service: 'queue-crm', args: ['--queue=calls', '--queue=mails'], ports: [{ host: 19999, container: 9999 }] },
  ]);
  const rendered = new Map(files);
  expect(rendered.get('rules/queue.yml')).toBe(rules);
  expect(rendered.get('prometheus.yml')).toContain(`  - job_name: queue
    static_configs:
      - targets:
          - queue-shop-exporter:9999
        labels:
          instance: shop
      - targets:
          - queue-crm-exporter:9999
        labels:
          instance: crm
`);
}, 60_000);
