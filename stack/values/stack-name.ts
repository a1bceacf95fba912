import type { KeyPath, Problem } from '../diagnostic.ts';
import { quoted } from './words.ts';

/** Words that stand for a way of networking, and not for a network of that name, in Docker or Podman. */
const networkModes: ReadonlySet<string> = new Set([
  'bridge',
  'container',
  'default',
  'host',
  'none',
  'ns',
  'pasta',
  'pod',
  'private',
  'slirp4netns',
]);

/** What is wrong with a stack's name, which its network has too. */
export function stackNameProblems(name: string, path: KeyPath): readonly Problem[] {
  if (!networkModes.has(name)) return [];
  return [
    {
      code: 'reserved-name',
      path,
      message: `a stack cannot be named ${quoted(name)}: its network would have that name, which means something else to a container engine`,
      hint: `such as ${quoted(`${name}-stack`)}`,
    },
  ];
}
