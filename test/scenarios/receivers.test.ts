import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { receiverKeys } from '../../stack/alertmanager/receiver-keys.ts';
import { stackFolder, toRun } from '../support/stack-folder.ts';

/** The example of every receiver that `init` writes, in force; the files of the examples are not there. */
const examples = (() => {
  const written = readFileSync(join(packageRoot(), 'templates', 'init', 'stack.yml'), 'utf8');
  const [, section = ''] = /^#alertmanager:\n(.*?)^# ---/ms.exec(written) ?? [];
  const inForce = section.replaceAll(/^( *)#(?=[^\s#])/gm, '$1');
  return inForce.replace(/^ {2}templates:\n(?: {4}.*\n)+/m, '').replace(/^ {2}port: .*\n/m, '');
})();

const env = Object.fromEntries(
  [...examples.matchAll(/!env (?:\{name: )?(\w+)/g)].map(([, name = '']) => [
    name,
    name.endsWith('_URL') ? `https://example.com/${name}` : `planted-${name}`,
  ]),
);

describe('receivers', () => {
  it('must be shown by init in every kind that Alertmanager has, and each pass its check', async () => {
    for (const key of receiverKeys.filter((name) => name.endsWith('_configs'))) {
      expect.soft(examples, key).toContain(`      ${key}:\n`);
    }
    await using stack = await stackFolder();
    await stack.write(
      'stack.yml',
      `name: ${stack.name}\nimages: {source: auto}\ngrafana: {enabled: false}\nalertmanager:\n  port: ${stack.ports.alertmanager}\n${examples}`,
    );
    const checked = toRun(await stack.start(['check'], env));
    expect(checked.exitCode, checked.stderr).toBe(0);

    const rendered = toRun(await stack.start(['render', 'alertmanager/alertmanager.yml'], env)).stdout;
    expect(rendered).not.toContain('planted-');
    // Of all of them Amazon's key alone has to stand in the config itself.
    expect(rendered.match(/.*\[secret\].*/g)?.map((line) => line.trim())).toEqual(["secret_key: '[secret]'"]);
  });
});
