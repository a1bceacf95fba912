import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ruleFiles, ruleTests } from '../../support/shipped.ts';
import { openTools, type Tools } from '../../support/tools.ts';

describe('promtool', () => {
  let tools: Tools;
  beforeAll(async () => {
    tools = await openTools({ service: 'prometheus', files: { ...ruleFiles, ...ruleTests } });
  });
  afterAll(async () => {
    await tools?.[Symbol.asyncDispose]();
  });

  it.each(Object.keys(ruleFiles))('must accept %s without lint errors', async (path) => {
    const { exitCode, stdout, stderr } = await tools.run(
      'promtool',
      'check',
      'rules',
      '--lint=all',
      '--lint-fatal',
      `/files/${path}`,
    );
    expect(exitCode, stdout + stderr).toBe(0);
  });

  it.each(Object.keys(ruleTests))('must pass %s', async (path) => {
    const { exitCode, stdout, stderr } = await tools.run('promtool', 'test', 'rules', `/files/${path}`);
    expect(exitCode, stdout + stderr).toBe(0);
  });
});
