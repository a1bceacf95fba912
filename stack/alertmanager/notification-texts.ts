import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, Scalar } from 'yaml';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';

/** A text that Alertmanager fills in for each notification. */
export interface NotificationText {
  /** Where it stands: `title of slack_configs`, or the name of a template. */
  readonly title: string;
  /** The text itself; undefined when it is a template that a file defines under `title`. */
  readonly text?: string | undefined;
  readonly isHtml: boolean;
  /** The line of alertmanager.yml where the text begins. */
  readonly line?: number;
}

/** What alertmanager.yml says of texts: those of its receivers, and the globs of template files. */
export interface TextsOfConfig {
  readonly texts: readonly NotificationText[];
  readonly globs: readonly string[];
}

/** The templated texts in the receivers of an alertmanager.yml; nothing when it cannot be read, which its own check tells. */
export function textsOfConfig(content: string): TextsOfConfig {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, merge: true, logLevel: 'silent', prettyErrors: false });
  if (document.errors.length > 0 || !isMap(document.contents)) return { texts: [], globs: [] };
  const globs = document.get('templates');
  const lineOf = (node: Scalar): number => {
    const begin = lines.linePos(node.range?.[0] ?? 0).line;
    // A block begins on the line below its `|`.
    return node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED ? begin + 1 : begin;
  };

  const receivers = document.get('receivers');
  const configs = (isSeq(receivers) ? receivers.items : []).flatMap((receiver) =>
    isMap(receiver)
      ? receiver.items.flatMap(({ key, value }) =>
          isScalar(key) && isSeq(value) ? value.items.map((config) => ({ kind: String(key.value), config })) : [],
        )
      : [],
  );
  const texts = configs.flatMap(({ kind, config }) =>
    scalarsIn(config, []).flatMap(({ node, keys }): NotificationText[] => {
      const text = node.value;
      if (typeof text !== 'string' || !text.includes('{{')) return [];
      const title = `${keys.join('.')} of ${kind}`;
      return [{ title, text, isHtml: isHtml(kind, keys, config), line: lineOf(node) }];
    }),
  );
  return { texts, globs: isSeq(globs) ? globs.items.map((item) => String(isScalar(item) ? item.value : '')) : [] };
}

/**
 * The templates of the person's own files that are given a whole notification: those that Alertmanager's own texts call, and
 * those that speak of what only a notification has. Others are given a part of one by those that call them.
 */
export function textsOfFiles(files: readonly RenderedFile[]): readonly NotificationText[] {
  return files.flatMap(({ content }) => {
    const text = content instanceof Secret ? content.reveal() : content;
    // One beginning, a name, the body, and so on.
    const [, ...parts] = text.split(/\{\{-?\s*define\s+"((?:[^"\\]|\\.)+)"\s*-?\}\}/);
    return parts.flatMap((name, at): NotificationText[] => {
      const isName = at % 2 === 0;
      const takesAll =
        /^\w+\.default\.\w+$/.test(name) ||
        /\.(?:Alerts|(?:Group|Common)\w+|Receiver|ExternalURL)\b/.test(parts[at + 1] ?? '');
      return isName && takesAll ? [{ title: name, isHtml: /html/i.test(name) }] : [];
    });
  });
}

/** Alertmanager fills in these by Go's HTML templates (notify/email, notify/telegram, notify/pushover). */
function isHtml(kind: string, keys: readonly string[], config: unknown): boolean {
  const said = (key: string): unknown => (isMap(config) ? config.get(key) : undefined);
  if (kind === 'email_configs') return keys[0] === 'html';
  if (kind === 'telegram_configs') return keys[0] === 'message' && (said('parse_mode') ?? 'HTML') === 'HTML';
  return kind === 'pushover_configs' && keys[0] === 'message' && said('html') === true;
}

interface FoundScalar {
  readonly node: Scalar;
  readonly keys: readonly string[];
}

function scalarsIn(node: unknown, keys: readonly string[]): readonly FoundScalar[] {
  if (isScalar(node)) return [{ node: node as Scalar, keys }];
  if (isSeq(node)) return node.items.flatMap((item) => scalarsIn(item as Node, keys));
  if (!isMap(node)) return [];
  return node.items.flatMap(({ key, value }) => scalarsIn(value, [...keys, String(isScalar(key) ? key.value : '')]));
}
