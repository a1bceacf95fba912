import { expect, test } from 'vitest';
import { allCommands, describeCommands } from '../../../../scripts/cli/commands/describe.ts';
import { commands } from '../../../../scripts/cli/commands/index.ts';
import { outputSchemas } from '../../../../scripts/cli/json/output-schemas.ts';

const schemas = await outputSchemas(commands);

test('every command must have a schema of its output', async () => {
  const described = allCommands((await describeCommands(commands)).commands);
  const groups = ['alert', 'export', 'silence'];
  const paths = described.map(({ path }) => path).filter((path) => !groups.includes(path) && path !== 'help');
  expect([...schemas.keys()].sort()).toEqual(paths.sort());
});

/** Words of the code, or of nobody. */
const unusual = ['isRight', 'tone', 'works', 'way', 'ways', 'hop', 'hops', 'vitals', 'meaning', 'obstacle', 'had']
  .concat(['hasOtherSecret', 'claim', 'who', 'because', 'tryThis', 'isDry', 'left', 'stackName', 'isAsked'])
  .concat(['muted', 'doubts', 'holes', 'kept', 'told', 'found', 'refused', 'notCheckedBy']);

test.each([...schemas])('the output of %s must have plain keys, with the units of durations', (command, schema) => {
  const keys = keysOf(schema);
  expect(keys).toEqual(expect.arrayContaining(['format', 'command', 'stack', 'ok', 'diagnostics', 'error']));
  expect(keys.filter((key) => unusual.includes(key))).toEqual([]);
  expect(keys.filter((key) => !/^[a-z][a-zA-Z]*$/.test(key) || /Ms$|Duration$|Timeout$|Interval$/.test(key))).toEqual(
    [],
  );
  expect(JSON.stringify(schema)).toContain(`{"type":"string","const":"${command}"}`);
});

test.each([...schemas])('the output of %s must be objects, each with all its keys declared', (_, schema) => {
  const outputs = schema['anyOf'] as readonly Record<string, unknown>[];
  const shapes = outputs.flatMap((output) => (output['anyOf'] ?? output['oneOf'] ?? [output]) as readonly object[]);
  for (const shape of shapes) expect(shape).toMatchObject({ type: 'object', additionalProperties: false });
});

/** All keys of objects that a schema describes. */
function keysOf(schema: unknown): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap(keysOf);
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties, ...rest } = schema as Record<string, unknown>;
  const own = typeof properties === 'object' && properties !== null ? properties : {};
  return [...Object.keys(own), ...Object.values(own).flatMap(keysOf), ...Object.values(rest).flatMap(keysOf)];
}
