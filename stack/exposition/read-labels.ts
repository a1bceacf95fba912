import type { Cursor } from './cursor.ts';
import { isLabelName, type NameScheme } from './names.ts';
import type { LabelPiece } from './read-line.ts';
import { readName } from './read-name.ts';

/** Reads labels to the closing brace and past it. */
export function readLabels(cursor: Cursor, scheme: NameScheme): readonly LabelPiece[] {
  const labels: LabelPiece[] = [];
  for (;;) {
    cursor.skipBlanks();
    if (cursor.takeChar('}')) return labels;
    labels.push(readLabel(cursor, scheme));
    cursor.skipBlanks();
    if (cursor.takeChar('}')) return labels;
    if (!cursor.takeChar(',')) {
      cursor.fail('braces', '"," or "}" is expected after a label', { hint: unclosedHint(cursor) });
    }
  }
}

function readLabel(cursor: Cursor, scheme: NameScheme): LabelPiece {
  const from = cursor.at;
  if (cursor.isAtEnd) cursor.fail('braces', 'the labels have no closing "}"', { hint: unclosedHint(cursor) });
  const name = readName(cursor, 'label name');
  const to = cursor.at;
  cursor.skipBlanks();
  if (!cursor.takeChar('=')) {
    cursor.fail('label-name', `"=" is expected after the label name ${quoted(name)}`, {
      hint: /^[-.:]/.test(cursor.peek()) ? 'a label name holds letters, digits and _ only' : undefined,
    });
  }
  if (!isLabelName(name, scheme)) {
    const hint = 'letters, digits and _ only, or start the Pushgateway with --push.enable-utf8-names';
    cursor.fail('label-name', `no label can be called ${quoted(name)}`, { from, to, hint });
  }
  cursor.skipBlanks();
  if (cursor.peek() !== '"') {
    cursor.fail('label-value', `the value of the label ${quoted(name)} has to stand in double quotes`, {
      hint: `write ${name}="…"`,
    });
  }
  return { name, value: cursor.takeQuoted('label value'), from, to: cursor.at };
}

/** What to do where a line ends inside braces. */
export function unclosedHint(cursor: Cursor): string | undefined {
  return cursor.isAtEnd ? 'a sample stands on one line' : undefined;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
