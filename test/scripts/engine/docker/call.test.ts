import { describe, expect, test } from 'vitest';
import { toEngineError } from '../../../../scripts/engine/docker/call.ts';
import { EngineError } from '../../../../scripts/engine/engine-error.ts';

/** An error response, in the words of docker-modem. */
function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(`(HTTP code ${statusCode}) some reason - ${message} `), {
    statusCode,
    json: { message },
  });
}

const errno = (code: string) => Object.assign(new Error(`connect ${code}`), { code });
const codeOf = (error: unknown) => (toEngineError('trying', error) as EngineError).code;

test.each([
  [404, 'No such container: x', 'notFound'],
  [409, 'the name is in use', 'conflict'],
  [401, 'who are you', 'denied'],
  [403, 'not you', 'denied'],
  [400, 'bad parameter', 'refused'],
  [500, 'no space left on device', 'refused'],
  [500, 'Bind for 127.0.0.1:9090 failed: port is already allocated', 'portTaken'],
  [500, 'listen tcp4 127.0.0.1:9090: bind: address already in use', 'portTaken'],
])('an answer %i "%s" must be %s', (status, message, code) => {
  expect(codeOf(refusal(status, message))).toBe(code);
});

test.each([
  ['ECONNREFUSED', 'unreachable'],
  ['ENOENT', 'unreachable'],
  ['ECONNRESET', 'unreachable'],
  ['EACCES', 'denied'],
])('a connection that ends in %s must be %s', (code, engineCode) => {
  expect(codeOf(errno(code))).toBe(engineCode);
});

test.each([
  [
    'could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network',
    /docker network prune.*default-address-pools/,
  ],
  ['all predefined address pools have been fully subnetted', /docker network prune/],
  ['could not find free subnet from subnet pools', /docker network prune/],
  ['mkdir /var/lib/docker/volumes/x: no space left on device', /docker system df/],
])('an engine that says "%s" must be reported with what to try', (message, tryThis) => {
  expect((toEngineError('creating network x', refusal(500, message)) as EngineError).tryThis).toMatch(tryThis);
});

describe('an error of the engine', () => {
  test("must have the engine's message, what was being done, and the cause", () => {
    const cause = refusal(404, 'No such container: x');
    const error = toEngineError('starting container x', cause);
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ message: 'No such container: x', doing: 'starting container x', cause });
  });

  test("without a JSON body must lose only docker-modem's prefix", () => {
    const error = Object.assign(new Error('(HTTP code 500) server error - the disk - of all things - is full '), {
      statusCode: 500,
      json: null,
    });
    expect(toEngineError('trying', error)).toMatchObject({ message: 'the disk - of all things - is full' });
  });

  test('must be wrapped only once', () => {
    const first = toEngineError('inner', refusal(409, 'x'));
    expect(toEngineError('outer', first)).toBe(first);
  });
});

test('a programming error must be returned unchanged', () => {
  const mistake = new TypeError('x is not a function');
  expect(toEngineError('trying', mistake)).toBe(mistake);
});

test('an abort must be returned unchanged', () => {
  const abort = new DOMException('stopped', 'AbortError');
  expect(toEngineError('trying', abort)).toBe(abort);
});
