import { parse } from 'yaml';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import { plainScalars } from './plain-scalar.ts';

/** The value of a JSON text; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What a file of YAML holds as the servers read it: with `<<` merged, and an anchor used as often as one likes. Undefined when it
 * cannot be read: that it is wrong is said elsewhere.
 */
export function parseYaml(content: RenderedFile['content']): unknown {
  try {
    const text = content instanceof Secret ? content.reveal() : content;
    return parse(text, { ...plainScalars, merge: true, maxAliasCount: -1, logLevel: 'silent' });
  } catch {
    return undefined;
  }
}
