import { isCollection, isPair, isScalar, type Node, visit } from 'yaml';
import { configDir } from '../../../stack/values/container.ts';

/** Makes paths relative to a server's config absolute, where the operator puts the config into another folder. */
export function makePathsAbsolute(node: Node, lists: readonly string[] = []): void {
  visit(node, {
    Scalar: (at, scalar, path) => {
      if (at === 'key' || typeof scalar.value !== 'string' || scalar.value === '' || scalar.value.startsWith('/'))
        return;
      const pair = path.findLast((step) => isPair(step));
      const key = isPair(pair) && isScalar(pair.key) ? String(pair.key.value) : '';
      const isInList = isCollection(path.at(-1)) && (key === 'files' || lists.includes(key));
      if ((key.endsWith('_file') && !key.endsWith('_log_file')) || isInList)
        scalar.value = `${configDir}/${scalar.value}`;
    },
  });
}
