// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the syntax of env files.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LoadOptions, loadConfig, loadStack } from '../../../scripts/config/load.ts';
import { forgetSecrets, redact } from '../../../scripts/util/redaction.ts';
import { Secret } from '../../../stack/secret.ts';
import { folderWith } from '../../support/config.ts';
import { printed } from '../../support/own-tests.ts';

const hooks = (tag: string) =>
  `alertmanager: {route: {receiver: h}, receivers: [{name: h, webhook_configs: [{url: ${tag}}]}]}\n`;

/** The text of the receiver's URL, or the messages. */
async function urlOf(cwd: string, options: Partial<LoadOptions> = {}): Promise<unknown> {
  const loaded = await loadStack({ cwd, env: {}, ...options });
  if (!loaded.ok) return printed(loaded.error);
  const [
    {
      webhook_configs: [{ url }],
    },
  ] = loaded.value.config.alertmanager.receivers as never as readonly [
    { readonly webhook_configs: readonly [{ readonly url: Secret }] },
  ];
  return url.reveal();
}

describe('the variable of !env', () => {
  const files = {
    'stack.yml': hooks('!env HOOK'),
    '.env': 'HOOK=http://dot-env/\nHOST=h\n',
    'a.env': 'HOOK=http://a/\nB=b\n',
    'b.env': 'HOOK="http://${B}/${HOST:-}"\n',
    'below/x': '',
    'below/.env': 'HOOK=http://below/\n',
  };
  test.each([
    ['from .env', {}, 'http://dot-env/'],
    ['from the environment, even when .env has it', { env: { HOOK: 'http://process/' } }, 'http://process/'],
    ['from the file of --env-file instead of .env', { envFile: 'a.env' }, 'http://a/'],
    ['from the last file of --env-file, which may refer to those before', { envFile: ['a.env', 'b.env'] }, 'http://b/'],
    ['from the files of PROMSTACK_ENV_FILE', { env: { PROMSTACK_ENV_FILE: 'b.env:a.env' } }, 'http://a/'],
    [
      'from --env-file rather than PROMSTACK_ENV_FILE',
      { envFile: 'a.env', env: { PROMSTACK_ENV_FILE: 'none' } },
      'http://a/',
    ],
    ['from .env beside stack.yml, not from one in the current folder', { file: 'stack.yml' }, 'http://dot-env/'],
  ])('must be read %s', async (_, options, url) => {
    await using folder = await folderWith(files);
    forgetSecrets();
    expect(await urlOf(folder.path, options)).toBe(url);
    expect(redact(`see ${url}`)).toBe('see [secret]');
  });

  test('must be read from a folder below too', async () => {
    await using folder = await folderWith(files);
    expect(await urlOf(join(folder.path, 'below'))).toBe('http://dot-env/');
  });

  test.each([[{ envFile: ['a.env', 'none.env'] }], [{ env: { PROMSTACK_ENV_FILE: 'none.env' } }]])(
    'must not be searched elsewhere when a named file is missing: %j',
    async (options) => {
      await using folder = await folderWith({ ...files, 'stack.yml': '' });
      const load = { cwd: folder.path, env: {}, ...options };
      const hint = 'correct --env-file or PROMSTACK_ENV_FILE: the files that they name must exist';
      for (const loaded of [await loadStack(load), await loadConfig(load)]) {
        expect(loaded.ok ? [] : printed(loaded.error)).toEqual([
          `error no-env-file there is no env file none.env (${hint})`,
        ]);
      }
    },
  );

  test('must not be needed, nor a valid .env, by commands that only find the stack', async () => {
    await using folder = await folderWith({ ...files, '.env': 'broken\nPROMSTACK_NAME=shop\n' });
    expect(await loadConfig({ cwd: folder.path, env: {} })).toMatchObject({
      ok: true,
      value: { config: { name: 'shop' } },
    });
  });

  test.each([
    ['unset', '!env {name: NONE, default: "http://x/"}', 'http://x/'],
    ['set', '!env {name: HOOK, default: "http://x/"}', 'http://dot-env/'],
    ['set, and inline', '!env {default: "http://x/", name: HOOK, inline: true}', 'http://dot-env/'],
  ])('must have its default only when it is unset: %s', async (_, tag, url) => {
    await using folder = await folderWith({ ...files, 'stack.yml': hooks(tag) });
    expect(await urlOf(folder.path)).toBe(url);
  });

  test.each([
    ['a set but empty variable', 'EMPTY', 'x', ''],
    ['an empty default', 'NONE', '""', ''],
    ['a default that is a number', 'NONE', '0123', '0123'],
  ])('must keep the text of %s', async (_, name, preset, text) => {
    const stack = `grafana: {admin_password: !env {name: ${name}, default: ${preset}}}\n`;
    await using folder = await folderWith({
      'stack.yml': `x-secret: !env {name: ${name}, default: ${preset}}\n`,
      'p.yml': stack,
      '.env': 'EMPTY=\n',
    });
    const loaded = await loadStack({ cwd: folder.path, env: {}, file: ['stack.yml', 'p.yml'] });
    const password = loaded.ok ? loaded.value.config.grafana.admin_password : undefined;
    if (text !== '') expect(password instanceof Secret && password.reveal()).toBe(text);
    // Grafana refuses an empty password itself, by its text and not as a missing variable.
    else expect(loaded.ok ? [] : loaded.error.map(({ code }) => code)).not.toContain('env-empty');
  });
});

describe('several stack files', () => {
  const files = {
    'stack.yml': `name: shop\nprometheus: {port: 1, rules: [rules/*.yml]}\n`,
    'over/prod.yml': 'name: shop-prod\nprometheus: {port: 2}\nalertmanager: {templates: [none/*.tmpl]}\n',
    'last.yml': 'prometheus: {port: 3}\n',
    'rules/a.yml': 'groups: []\n',
    'below/x': '',
  };
  const named = ['stack.yml', 'over/prod.yml', 'last.yml'];
  test.each([
    ['by -f', { file: named }, ''],
    ['by PROMSTACK_FILE', { env: { PROMSTACK_FILE: named.join(':') } }, ''],
    ['by PROMSTACK_FILE in .env', {}, `PROMSTACK_FILE=${named.join(':')}\n`],
    [
      'by -f rather than PROMSTACK_FILE',
      { file: named, env: { PROMSTACK_FILE: 'none.yml' } },
      'PROMSTACK_FILE=none.yml\n',
    ],
    [
      'by PROMSTACK_FILE of the environment rather than .env',
      { env: { PROMSTACK_FILE: named.join(':') } },
      'PROMSTACK_FILE=none.yml\n',
    ],
  ])('must be found %s', async (_, options, dotEnv) => {
    await using folder = await folderWith({ ...files, '.env': dotEnv });
    const loaded = await loadStack({ cwd: folder.path, env: {}, ...options });
    expect(loaded.ok ? loaded.value : loaded.error).toMatchObject({
      config: { name: 'shop-prod', prometheus: { port: 3 } },
      path: join(folder.path, 'stack.yml'),
      folder: folder.path,
      further: ['over/prod.yml', 'last.yml', '.env'].map((name) => join(folder.path, name)),
      origin: { file: 'stack.yml:over/prod.yml:last.yml' },
      userFiles: [{ origin: 'rules/a.yml' }],
    });
    const config = await loadConfig({ cwd: folder.path, env: {}, ...options });
    expect(config).toMatchObject({
      value: { config: { name: 'shop-prod' }, origin: loaded.ok && loaded.value.origin },
    });
    const warning = loaded.ok ? printed(loaded.warnings) : [];
    expect(warning).toEqual([
      'warning nothing-matches over/prod.yml:3:28+11 no file matches none/*.tmpl (paths are relative to the folder of stack.yml)',
    ]);
  });

  test('must be found by .env from a folder below, but not past a stack.yml that is nearer', async () => {
    await using folder = await folderWith({
      ...files,
      '.env': 'PROMSTACK_FILE=stack.yml:last.yml\n',
      'near/stack.yml': 'name: near\n',
    });
    const nameAndPort = async (cwd: string) => {
      const loaded = await loadConfig({ cwd: join(folder.path, cwd), env: {} });
      return loaded.ok ? [loaded.value.config.name, loaded.value.config.prometheus.port] : loaded.error;
    };
    expect(await nameAndPort('below')).toEqual(['shop', 3]);
    expect(await nameAndPort('near')).toEqual(['near', 9090]);
  });

  test('must all exist', async () => {
    await using folder = await folderWith(files);
    const loaded = await loadStack({ cwd: folder.path, env: { PROMSTACK_FILE: 'stack.yml:none.yml' } });
    expect(loaded.ok ? [] : loaded.error).toMatchObject([{ message: 'there is no file none.yml' }]);
  });
});

describe('the name that PROMSTACK_NAME gives', () => {
  test.each([
    ['the environment', { PROMSTACK_NAME: 'stage' }, '', 'stage', true],
    ['.env', {}, 'PROMSTACK_NAME=stage\n', 'stage', true],
    ['the environment rather than .env', { PROMSTACK_NAME: 'test' }, 'PROMSTACK_NAME=stage\n', 'test', true],
    ['nothing', { PROMSTACK_NAME: '' }, 'PROMSTACK_NAME=stage\n', 'shop', undefined],
  ])('must be that of %s', async (_, env, dotEnv, name, isNameGiven) => {
    await using folder = await folderWith({ 'stack.yml': 'name: shop\n', '.env': dotEnv });
    for (const load of [loadStack, loadConfig]) {
      const loaded = await load({ cwd: folder.path, env });
      expect(loaded.ok && [loaded.value.config.name, loaded.value.origin?.isNameGiven]).toEqual([name, isNameGiven]);
    }
  });

  test.each(['host', 'My Shop'])('must be valid: %s', async (name) => {
    await using folder = await folderWith({ 'stack.yml': '' });
    const loaded = await loadStack({ cwd: folder.path, env: { PROMSTACK_NAME: name } });
    expect(loaded.ok ? [] : loaded.error.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^PROMSTACK_NAME: /),
    ]);
  });
});
