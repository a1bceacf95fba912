import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Rendering } from '../../scripts/render/rendering.ts';
import { revealed, shown } from '../../scripts/render/show.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { exporters, metricsPages } from '../../stack/exporters/exporters.ts';
import { services } from '../../stack/services.ts';
import { defaultImages } from '../../stack/values/default-images.ts';
import { cases, folderOf, renderCase } from './golden.ts';

describe.each(cases)('the stack %s', (name) => {
  it('must be rendered as recorded', async () => {
    const rendering = await renderCase(name);
    await expect(printed(rendering)).toMatchFileSnapshot(join(folderOf(name), 'expected.txt'));
  });

  it('must be the same bytes every time', async () => {
    const [first, second] = [await renderCase(name), await renderCase(name)];
    const bytes = ({ services: all }: Rendering) => all.flatMap(({ files }) => files.map(revealed));
    expect(bytes(second)).toEqual(bytes(first));
    expect(second.revision).toBe(first.revision);
  });

  it('must show no secret', async () => {
    const rendering = await renderCase(name);
    expect(printed(rendering)).not.toContain('planted-secret');
    expect(JSON.stringify(rendering)).not.toContain('planted-secret');
  });
});

describe('golden stacks', () => {
  it('must include one with every exporter', async () => {
    const { config } = await renderCase('exporters');
    const kinds = [...exporters, ...metricsPages].map(({ kind }) => kind);
    expect(Object.keys(config.exporters).sort()).toEqual([...kinds, 'custom'].sort());
  });

  it.each(services.map((service) => service.name))('must include one with only %s', (service) => {
    expect(cases).toContain(`service-${service}`);
  });
});

/** The files of each service; unchanged shipped templates only by name. */
function printed({ services: all, tests }: Rendering): string {
  const revisions = new Set(all.map(({ revision }) => revision));
  const text = [...all.flatMap(({ files }) => files), ...tests].map(printedFile).join('\n');
  const [, version = ''] = defaultImages.prometheus.split(':v');
  return [...revisions]
    .reduce((masked, revision) => masked.replaceAll(revision, 'REVISION'), text)
    .replaceAll(`prometheusVersion: '${version}'`, "prometheusVersion: 'DEFAULT'");
}

function printedFile(file: RenderedFile): string {
  const title = `===== ${file.service}/${file.path} ${file.mode.toString(8)}`;
  const template = relative(packageRoot(), file.origin);
  if (file.isShipped === true && file.isVerbatim === true) return `${title} is ${template}\n`;
  // A dashboard is long, and only its revision differs from the template.
  if (file.isShipped === true && file.path.endsWith('.json')) return `${title} is ${template} with the revision\n`;
  return `${title}\n${shown(file)}`;
}
