import { describe, expect, test } from 'vitest';
import { NotEditableError, withString } from '../../../scripts/config/edit-yaml.ts';

const path = ['prometheus', 'image'];

describe('a string of a stack.yml', () => {
  test.each([
    [
      'with a comment',
      'prometheus:\n  image: prom/x:v1   # pinned\n  port: 1\n',
      'prometheus:\n  image: prom/x:v2   # pinned\n  port: 1\n',
    ],
    ['in quotes', "prometheus: {image: 'prom/x:v1', port: 1}\n", 'prometheus: {image: prom/x:v2, port: 1}\n'],
    [
      'with an anchor that nothing else uses',
      'prometheus:\n  image: &i prom/x:v1\n',
      'prometheus:\n  image: &i prom/x:v2\n',
    ],
    [
      'on Windows',
      'prometheus:\r\n  image: prom/x:v1\r\n  port: 1\r\n',
      'prometheus:\r\n  image: prom/x:v2\r\n  port: 1\r\n',
    ],
    ['without a value', 'prometheus:\n  image:\n  port: 1\n', 'prometheus:\n  image: prom/x:v2\n  port: 1\n'],
    [
      'beside secrets',
      'a: !env A # b\nprometheus: {image: prom/x:v1}\n',
      'a: !env A # b\nprometheus: {image: prom/x:v2}\n',
    ],
    ['that is an alias', 'x-i: &i prom/x:v1\nprometheus:\n  image: *i\n', undefined],
    ['that an alias shares', 'x-i: &p {image: prom/x:v1}\nprometheus: *p\n', undefined],
    ['with an anchor that another key uses', 'prometheus:\n  image: &i prom/x:v1\nother: *i\n', undefined],
  ])('%s must be changed alone, or not at all', (_, text, expected) => {
    if (expected === undefined) expect(() => withString(text, path, 'prom/x:v2')).toThrow(NotEditableError);
    else expect(withString(text, path, 'prom/x:v2')).toBe(expected);
  });

  test.each([
    [
      'beside other keys',
      '# a\nprometheus:\n    # b\n    port: 1\n',
      '# a\nprometheus:\n    # b\n    image: prom/x:v2\n    port: 1\n',
    ],
    ['in braces', 'prometheus: { port: 1 }\n', 'prometheus: {image: "prom/x:v2",  port: 1 }\n'],
    ['in empty braces', 'prometheus: {}\n', 'prometheus: {image: "prom/x:v2"}\n'],
    ['in an empty section', 'prometheus:\nother: 1\n', 'prometheus:\n  image: prom/x:v2\nother: 1\n'],
    [
      'in an empty section with a comment',
      'prometheus: # mine\nother: 1\n',
      'prometheus: # mine\n  image: prom/x:v2\nother: 1\n',
    ],
    ['without its section', '# a\nname: x\n', '# a\nprometheus:\n  image: prom/x:v2\nname: x\n'],
    ['in a file of comments', '# a\n', '# a\nprometheus:\n  image: prom/x:v2\n'],
    ['after a document start', '---\nname: x\n', '---\nprometheus:\n  image: prom/x:v2\nname: x\n'],
  ])('must be added where it is missing: %s', (_, text, expected) => {
    expect(withString(text, path, 'prom/x:v2')).toBe(expected);
  });

  test.each(['2024', 'true', 'a: b', '#x', 'null'])('must stay a string: %s', (value) => {
    expect(withString('name: shop # mine\n', ['name'], value)).toBe(`name: ${JSON.stringify(value)} # mine\n`);
  });
});
