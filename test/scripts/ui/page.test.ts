import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  bytesText,
  causeText,
  durationText,
  rateText,
  tookText,
  visible,
  webAddress,
} from '../../../scripts/ui/page/format.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';

const folder = join(packageRoot(), 'scripts', 'ui', 'page');
const sources = readdirSync(folder).flatMap((name) =>
  /\.tsx?$/.test(name) ? [{ name, text: readFileSync(join(folder, name), 'utf8') }] : [],
);

test('the page must be written as text, never as HTML or code', () => {
  const dangerous =
    /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc/;
  expect(sources.length).toBeGreaterThan(10);
  expect(sources.filter(({ text }) => dangerous.test(text)).map(({ name }) => name)).toEqual([]);
});

test('the page must have nothing in itself that its policy forbids', () => {
  const html = readFileSync(join(folder, 'index.html'), 'utf8');
  expect(html).not.toMatch(
    /<style|style=|<script(?! type="module" src="page\.js"><\/script>)| on[a-z]+=|https?:\/\/(?!www\.w3\.org\/2000\/svg)/,
  );
});

test('the page must know the program only by what it is sent', () => {
  const packages = ['preact', 'preact/hooks', '@preact/signals', 'uplot'];
  const imports = sources.flatMap(({ name, text }) =>
    [...text.matchAll(/(?:\bfrom|\bimport\(?|^import)\s*'([^']+)'/gm)].map(([, path = '']) => ({ name, path })),
  );
  const isAllowed = (path: string): boolean =>
    /^\.\/[a-z-]+\.tsx?$/.test(path) ||
    ['../page-state.ts', '../page-requests.ts'].includes(path) ||
    packages.includes(path);
  expect(imports.length).toBeGreaterThan(40);
  expect(imports.filter(({ path }) => !isAllowed(path))).toEqual([]);
});

test.each([
  [0, '0'],
  [0.004, '< 0.01'],
  [0.1, '0.1'],
  [2.44, '2.4'],
  [410, '410'],
  [1_240.4, '1,240'],
  [12_400, '12.4 k'],
  [3_000_000, '3 M'],
])('a rate of %d must be shown as %s', (rate, text) => {
  expect(rateText(rate)).toBe(text);
});

test.each([
  [-4_000, '0 s'],
  [4_400, '4 s'],
  [89_000, '89 s'],
  [720_000, '12 min'],
  [7_440_000, '2 h 4 min'],
  [7_200_000, '2 h'],
  [90_000_000, '25 h'],
  [1_036_800_000, '12 d'],
])('%d ms must be shown as %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('sizes and short times must be shown with their units', () => {
  expect([0, 999, 1_400, 61_000, 2_500_000].map(bytesText)).toEqual(['0 B', '999 B', '1.4 kB', '61 kB', '2.5 MB']);
  expect([0.4, 41, 1_340, 5_000].map(tookText)).toEqual(['0 ms', '41 ms', '1.3 s', '5 s']);
});

test('a character that cannot be seen must be shown by its code', () => {
  expect(visible('\u202egnp.exe')).toBe('\\u{202e}gnp.exe');
  expect(visible('a\u0000b\u200bc\u{e0041}')).toBe('a\\u{0000}b\\u{200b}c\\u{e0041}');
  expect(visible('line one\n\tline two: \u05d0 \u{1f600}')).toBe('line one\n\tline two: \u05d0 \u{1f600}');
});

test('only the address of a web page may become a link', () => {
  expect(webAddress('https://example.org/a?b=c')).toBe('https://example.org/a?b=c');
  expect(webAddress('HTTP://example.org')).toBe('http://example.org/');
  for (const text of [
    'javascript:alert(1)',
    ' https://example.org',
    'java\nscript:alert(1)',
    'data:text/html,<b>',
    '//example.org',
    'https://',
    'file:///etc/passwd',
  ]) {
    expect(webAddress(text)).toBeUndefined();
  }
});

test.each([
  [
    'Get "http://db-1:9100/metrics": dial tcp 10.0.0.7:9100: connect: connection refused',
    'connect: connection refused',
  ],
  [
    'Get "http://db-1/": dial tcp: lookup db-1 on 127.0.0.11:53: no such host',
    'lookup db-1 on 127.0.0.11:53: no such host',
  ],
  ['server returned HTTP status 401 Unauthorized', 'server returned HTTP status 401 Unauthorized'],
])('of the error %s the cause must be shown', (error, cause) => {
  expect(causeText(error)).toBe(cause);
});
