import { type Document, isCollection, isPair, isScalar, type Node, type Scalar, visit } from 'yaml';
import { configDir } from '../../../stack/values/container.ts';

/** Makes paths relative to a server's config absolute, where the operator puts the config into another folder. */
export function makePathsAbsolute(node: Node, lists: readonly string[] = []): void {
  visit(node, {
    Scalar: (at, scalar, path) => {
      if (at === 'key' || typeof scalar.value !== 'string' || scalar.value === '' || scalar.value.startsWith('/'))
        return;
      const key = keyAbove(path);
      const isInList = isCollection(path.at(-1)) && (key === 'files' || lists.includes(key));
      if ((key.endsWith('_file') && !key.endsWith('_log_file')) || isInList)
        scalar.value = `${configDir}/${scalar.value}`;
    },
  });
}

/** The key of the nearest pair above a node. */
function keyAbove(path: readonly unknown[]): string {
  const pair = path.findLast((step) => isPair(step));
  return isPair(pair) && isScalar(pair.key) ? String(pair.key.value) : '';
}

/** Keys of which all values, and mappings of which all keys and values, are strings for a server. */
const stringKeys: ReadonlySet<string> = new Set(
  ['regex', 'replacement', 'separator', 'target_label', 'username', 'password', 'credentials', 'client_id', 'token']
    .concat('client_secret', 'access_key', 'secret_key', 'targets', 'source_labels', 'files', 'names', 'values')
    .concat('job_name', 'scopes'),
);
const stringMaps: ReadonlySet<string> = new Set(['labels', 'params', 'headers', 'endpoint_params']);

function isString(at: number | 'key' | 'value' | null, path: readonly unknown[]): boolean {
  const pairs = path.filter((step) => isPair(step));
  // The pair of a key is the last one itself.
  const above = at === 'key' ? pairs.slice(0, -1) : pairs;
  const keys = above.map(({ key }) => (isScalar(key) ? String(key.value) : ''));
  return keys.some((key) => stringMaps.has(key)) || (at !== 'key' && stringKeys.has(keys.at(-1) ?? ''));
}

/** Gives strings that are written as a number or a date, such as `1.10`, the text that stands there. */
export function keepAsWritten(document: Document): void {
  visit(document, {
    Scalar: (at, scalar, path) => {
      if (scalar.type === 'PLAIN' && scalar.source !== undefined && isString(at, path) && !isNull(scalar))
        scalar.value = scalar.source;
    },
  });
}

const isNull = ({ source = '' }: Scalar): boolean => /^(?:|~|null|Null|NULL)$/.test(source);

/** Quotes strings that the operator, which reads and writes the text once more, takes for something else: `on`, `1.10`, `0x1f`. */
export function quoteAmbiguous(node: Node): void {
  visit(node, {
    Scalar: (at, scalar, path) => {
      if (typeof scalar.value === 'string' && isAmbiguous(scalar.value) && isString(at, path))
        scalar.type = 'QUOTE_DOUBLE';
    },
  });
}

/** Whether YAML 1.1 has it as a truth value or a number. */
const isAmbiguous = (text: string): boolean =>
  /^(?:y|n|yes|no|on|off|true|false)$/i.test(text) ||
  (/^[-+]?[.\d]/.test(text) && /^[-+.:_a-fox\d]*$/i.test(text)) ||
  /^[-+]?\.(?:inf|nan)$/i.test(text);
