import { type Document, isAlias, isMap, isScalar, visit } from 'yaml';

/** Something about anchors, aliases and merges that cannot be followed. */
export interface BadReference {
  readonly message: string;
  readonly hint?: string;
  readonly from: number;
  readonly to: number;
}

/** The first alias without an anchor, alias inside its own anchor, or merge of something that is no mapping. */
export function badReference(document: Document): BadReference | undefined {
  let bad: BadReference | undefined;
  visit(document, {
    Alias: (_key, alias, path) => {
      const [from = 0, to = 0] = alias.range ?? [];
      const target = alias.resolve(document);
      if (target === undefined) {
        bad = {
          message: `no anchor &${alias.source} stands before this alias`,
          hint: 'a text that begins with * needs quotes',
          from,
          to,
        };
      } else if (path.includes(target)) {
        bad = { message: `the alias *${alias.source} stands inside what it names`, from, to };
      }
      return bad === undefined ? undefined : visit.BREAK;
    },
    Pair: (_key, { key, value }) => {
      if (!isScalar(key) || key.source !== '<<' || isAlias(value) || isMap(value)) return undefined;
      const isList = typeof value === 'object' && value !== null && 'items' in value;
      if (isList) return undefined;
      const [from = 0, to = 0] = key.range ?? [];
      bad = { message: 'the merge key << takes a mapping, or an alias of one', from, to };
      return visit.BREAK;
    },
  });
  return bad;
}
