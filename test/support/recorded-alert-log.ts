import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { parseRecordedEvent } from '../../stack/alertmanager/recorded-events.ts';
import { isMapping } from '../../stack/values/mapping.ts';
import { parseYaml } from '../../stack/values/parse.ts';

/** The versions of Alertmanager whose records there are. */
export const recordedVersions = ['0.33.1', '0.34.0'] as const;

/** What a real Alertmanager recorded and logged, over two reloads, a restart, a silence and an inhibition. */
export function recordedAlertLog(version: (typeof recordedVersions)[number]) {
  const read = (name: string): string => readFileSync(join(packageRoot(), 'test/recorded/alert-log', name), 'utf8');
  const text = read(`${version}.jsonl`);
  const config = parseYaml(read('alertmanager.yml'));
  if (!isMapping(config)) throw new Error('alertmanager.yml is not a mapping');
  return {
    text,
    records: text.split('\n').flatMap((line) => parseRecordedEvent(line) ?? []),
    lines: read(`${version}.log`)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => ({ stream: 'stderr' as const, time: line.replace(/ .*/s, ''), text: line.replace(/^\S+ /, '') })),
    config,
  };
}
