import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadStack } from '../../scripts/config/load.ts';
import { printDiagnostics } from '../../scripts/cli/print/diagnostics.ts';

const here = import.meta.dirname;
const cases = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

const env = { SLACK_URL: 'https://hooks.slack.example.com/planted-secret', EMPTY: '' };

describe('problems of a stack must be reported completely, with their positions', () => {
  test.each(cases)('%s', async (name) => {
    const cwd = join(here, name);
    const loaded = await loadStack({ cwd, env });
    const diagnostics = loaded.ok ? loaded.warnings : loaded.error;
    const printed = printDiagnostics(diagnostics, (file) => readFileSync(join(cwd, file), 'utf8'), false);
    expect(printed).not.toContain('planted-secret');
    await expect(printed).toMatchFileSnapshot(join(cwd, 'expected.txt'));
  });
});
