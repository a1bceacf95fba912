import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../../scripts/engine/engine-error.ts';
import { addSecret, redact, redacted } from '../../../scripts/util/redaction.ts';
import { InputError, InterruptedError, StackError } from '../../../scripts/util/stack-error.ts';

const token = 'k9&x "q"/<é>\\ z+1%=';
const key = '-----BEGIN KEY-----\nMIIBVQIBADANBgkqhkiG9w0B\nAQEFAASCAT8wggE7AgEAAkEA\n-----END KEY-----';

beforeAll(() => {
  for (const secret of [
    token,
    key,
    'hunter2!',
    '0012',
    'ab',
    'prometheus',
    'https://hooks.test/services/T00/B11/zzYYxx',
  ])
    addSecret(secret);
});

describe('a known secret', () => {
  it.each([
    ['as it is', token],
    ['in JSON', JSON.stringify(token).slice(1, -1)],
    [
      'in JSON by Go',
      JSON.stringify(token)
        .slice(1, -1)
        .replaceAll('&', '\\u0026')
        .replaceAll('<', '\\u003c')
        .replaceAll('>', '\\u003E'),
    ],
    ['in JSON in JSON', JSON.stringify(JSON.stringify(token)).slice(3, -3)],
    ['percent-encoded', encodeURIComponent(token)],
    ['percent-encoded in a path', encodeURI(token)],
    ['percent-encoded in a query by Go', new URLSearchParams({ a: token }).toString().slice(2)],
    ['percent-encoded twice', encodeURIComponent(encodeURIComponent(token))],
    [
      'in HTML',
      token.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&#34;'),
    ],
    ['as bytes by Go', token.replaceAll('é', '\\xc3\\xa9').replaceAll('"', '\\"')],
    ['with other white space', token.replaceAll(' ', '\n   ')],
    ['in base64', Buffer.from(token).toString('base64')],
    ['cut by Go', `${token.slice(0, 7)}...`],
  ])('must not be printed %s', (_, written) => {
    expect(redact(`before ${written} after`)).toBe('before [secret] after');
  });

  it.each([
    ['a line of a key', 'read MIIBVQIBADANBgkqhkiG9w0B: bad', 'read [secret]: bad'],
    ['a key with escaped line breaks', JSON.stringify(key), '"[secret]"'],
    ['the path of a secret URL', 'POST /services/T00/B11/zzYYxx 404', 'POST [secret] 404'],
    ['a short one, as a word', 'pin=0012, 20012 and 0012a', 'pin=[secret], 20012 and 0012a'],
    ['one with a mark at its end', 'pw hunter2!.', 'pw [secret].'],
  ])('must not be printed as %s', (_, text, printed) => {
    expect(redact(text)).toBe(printed);
  });

  it('must leave JSON that can be parsed', () => {
    const json = JSON.stringify({ a: token, b: [`x${token}`], c: key });
    expect(JSON.parse(redact(json))).toEqual({ a: '[secret]', b: ['x[secret]'], c: '[secret]' });
  });

  it('must not make the output useless when it is a common word', () => {
    expect(redact('✔ start prometheus: a table, ab')).toBe('✔ start prometheus: a table, ab');
  });

  it('must be printed where that is what was asked for, and no other one with it', () => {
    expect(redact(`hunter2! ${token}\n`, ['hunter2!'])).toBe('hunter2! [secret]\n');
    expect(redact(JSON.stringify({ password: token }), [token])).toBe(JSON.stringify({ password: token }));
  });
});

describe('a URL', () => {
  it('must have one mask for each secret that is known and in a parameter, too', () => {
    const url = `http://ann:${'hunter2!'}@h/m?token=hunter2!&x=1`;
    expect(redact(redact(url))).toBe('http://ann:[secret]@h/m?token=[secret]&x=1');
  });
});

describe('an unknown secret in a URL', () => {
  it.each([
    ['http://ann:pw1@db:9090/metrics', 'http://ann:[secret]@db:9090/metrics'],
    ['"postgres://u:p%40ss@h/db"', '"postgres://u:[secret]@h/db"'],
    ['postgres://USER:PASSWORD@db:5432/shop', 'postgres://USER:PASSWORD@db:5432/shop'],
    ['https://ghp_abcdef@git.test/x', 'https://[secret]@git.test/x'],
    ['http://h/m?token=t0k&x=1', 'http://h/m?token=[secret]&x=1'],
    ['http://h/m?x=1&access_token=t0k', 'http://h/m?x=1&access_token=[secret]'],
    ['{"u":"http://h/m?x=1\\u0026api_key=t0k\\u0026y=2"}', '{"u":"http://h/m?x=1\\u0026api_key=[secret]\\u0026y=2"}'],
    ['Get "http://h/m?X-Amz-Signature=ff00": EOF', 'Get "http://h/m?X-Amz-Signature=[secret]": EOF'],
    ['/metrics?password=a%26b', '/metrics?password=[secret]'],
    [
      'https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage',
      'https://api.telegram.org/bot110201543:[secret]/sendMessage',
    ],
  ])('must not be printed: %s', (text, printed) => {
    expect(redact(text)).toBe(printed);
  });

  it.each([
    'ssh://me@lab',
    'local word;key=value && pass=x',
    'http://127.0.0.1:9090/graph?g0.expr=up&g0.tab=0',
    'mail ann@example.com or http://h/a?author=ann&monkey=1&keys',
    'unix:///var/run/docker.sock',
    'prom/x@sha256:0123',
  ])('must leave others: %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

describe('an error', () => {
  const where = { file: 'config', line: 2, column: 3, offset: 9, length: 4 };
  const cause = (): Error => {
    const inner = Object.assign(new TypeError(`cannot use ${token}`), { reason: ['hunter2!'], code: 'ERR' });
    const outer = new AggregateError([inner], `pushing to https://user:hidden@host/ with ${token}`, { cause: inner });
    return Object.assign(outer, { response: { body: { error: `${token} is wrong` }, status: 400 } });
  };
  const doing = `pushing ${token}`;
  it.each<[string, () => Error]>([
    ['StackError', () => new StackError({ doing, why: token, brief: token, tryThis: `use ${token}`, cause: cause() })],
    ['EngineError', () => new EngineError({ code: 'refused', doing, message: token, tryThis: token, cause: cause() })],
    ['InterruptedError', () => new InterruptedError({ left: token, tryThis: token, cause: undefined })],
    [
      'InputError',
      () => {
        const related = [{ where, message: `the first is ${token}` }];
        const mistake = { severity: 'error', code: 'a', message: token, hint: `not ${token}`, where, related } as const;
        return new InputError([mistake], { file: 'config', text: `a: 1\nb: ${token}\n${key}\nc: 2\n` });
      },
    ],
  ])('a %s must show no secret in its message, stack, properties and causes', (_, create) => {
    const error = create();
    const all = inspect(error, { depth: null, showHidden: true });
    expect(all).toContain('[secret]');
    for (const part of [token, JSON.stringify(token).slice(1, -1), 'hunter2!', 'user:hidden', key.split('\n')[1]]) {
      expect(all).not.toContain(part);
      expect(error.message).not.toContain(part);
      expect(JSON.stringify(error)).not.toContain(part);
    }
    expect(error.stack).toContain('redaction.test.ts');
  });

  it('must keep its places, its causes and what has no secret', () => {
    const aborted = Object.freeze(new Error(`stopped over ${token}`));
    const reason = new DOMException('no secret here', 'AbortError');
    expect(new StackError({ doing: 'a', why: 'b', cause: aborted }).cause).toBe(aborted);
    expect(new InterruptedError({ left: 'nothing', cause: reason }).cause).toBe(reason);
    expect(reason.message).toBe('no secret here');
    const source = { file: 'config', text: `a: 1\nkey: |\n${key}\nc: 2\n` };
    const { diagnostics, source: kept } = new InputError(
      [{ severity: 'error', code: 'a', message: 'b', where }],
      source,
    );
    expect(diagnostics[0]?.where).toEqual(where);
    expect(kept?.text.split('\n')).toHaveLength(source.text.split('\n').length);
  });
});

it('a reported event must show no secret', () => {
  const events: unknown[] = [];
  const report = redacted((event) => void events.push(event));
  report({ kind: 'warning', text: `it is ${token}` });
  report({ kind: 'diagnostic', diagnostic: { severity: 'warning', code: 'a', message: token } });
  expect(events).toEqual([
    { kind: 'warning', text: 'it is [secret]' },
    { kind: 'diagnostic', diagnostic: { severity: 'warning', code: 'a', message: '[secret]' } },
  ]);
});
