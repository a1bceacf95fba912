import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CheckedFiles, readUserFiles } from '../../../scripts/config/user-files.ts';
import { stackSchema } from '../../../stack/config.ts';
import { folderWith } from '../../support/config.ts';

describe('files that are read again and again', () => {
  const loki = { name: 'Loki', type: 'loki', uid: 'loki', url: 'http://loki:3100' };
  const named = { prometheus: { rules: ['a.yml'] }, grafana: { dashboards: ['logs.json'] } };
  const before = stackSchema.parse(named);
  const after = stackSchema.parse({ ...named, grafana: { ...named.grafana, datasources: [loki] } });
  const files = {
    'a.yml': 'groups: 1\n',
    'logs.json': JSON.stringify({ title: 'Logs', uid: 'logs', panels: [{ datasource: { uid: 'loki' } }] }),
  };

  test('must be judged anew by what has changed in stack.yml', async () => {
    await using folder = await folderWith(files);
    const judged: CheckedFiles = new Map();
    const told = async (config: typeof before): Promise<readonly string[]> =>
      (await readUserFiles(config, folder.path, folder.path, judged)).diagnostics.map(({ message }) => message);
    const unknown = 'the stack has no datasource with the uid "loki"';
    expect(await told(before)).toContain(unknown);
    expect(await told(after)).not.toContain(unknown);
    expect(await told(before)).toContain(unknown);
  });

  test('must not be looked into again for what they do not depend on', async () => {
    await using folder = await folderWith(files);
    const judged: CheckedFiles = new Map();
    await readUserFiles(before, folder.path, folder.path, judged);
    const rules = judged.get(join(folder.path, 'a.yml'))?.diagnostics;
    expect(rules).toHaveLength(1);
    await readUserFiles(after, folder.path, folder.path, judged);
    expect(judged.get(join(folder.path, 'a.yml'))?.diagnostics).toBe(rules);
  });
});
