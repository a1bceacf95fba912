import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, Scalar } from 'yaml';
import type { RenderedFile } from '../model.ts';
import { contentOf } from '../secret.ts';
import type { Labels } from './matcher.ts';

/** A template that Alertmanager renders for each notification. */
export interface NotificationTemplate {
  /** The labels of its route, for a template that is one of them: they can use each other. */
  readonly routeLabels?: Labels | undefined;
  /** `title of slack_configs`, or the name of a template in a file. */
  readonly title: string;
  /** The template itself; undefined when a file defines it under `title`. */
  readonly text?: string | undefined;
  /** What it is called with, of a notification: `.Alerts.Firing`; absent means the whole. */
  readonly argument?: string | undefined;
  readonly isHtml: boolean;
  /** The line of alertmanager.yml where the text begins. */
  readonly line?: number | undefined;
}

/** The templates in the receivers and routes of an alertmanager.yml and its globs of template files; none when it is invalid, which another check reports. */
export function templatesOfConfig(content: string): {
  readonly templates: readonly NotificationTemplate[];
  readonly globs: readonly string[];
} {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, merge: true, logLevel: 'silent', prettyErrors: false });
  if (document.errors.length > 0 || !isMap(document.contents)) return { templates: [], globs: [] };
  const globs = document.get('templates');
  const lineOf = (node: Scalar): number => {
    const start = lines.linePos(node.range?.[0] ?? 0).line;
    // A block scalar begins on the line below its `|`.
    return node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED ? start + 1 : start;
  };

  const receivers = document.get('receivers');
  const integrations = (isSeq(receivers) ? receivers.items : []).flatMap((receiver) =>
    isMap(receiver)
      ? receiver.items.flatMap(({ key, value }) =>
          isScalar(key) && isSeq(value) ? value.items.map((config) => ({ kind: String(key.value), config })) : [],
        )
      : [],
  );
  const templates = integrations.flatMap(({ kind, config }) =>
    scalarsIn(config, []).flatMap(({ node, keys }): NotificationTemplate[] => {
      const text = node.value;
      if (typeof text !== 'string' || !text.includes('{{')) return [];
      const title = `${keys.join('.')} of ${kind}`;
      return [{ title, text, isHtml: isHtml(kind, keys, config), line: lineOf(node) }];
    }),
  );
  const ofRoutes = routeLabelsIn(document.get('route'), {}).flatMap(({ own, routeLabels }) =>
    own.flatMap(({ node, keys }): NotificationTemplate[] => {
      const text = String(node.value);
      if (!text.includes('{{')) return [];
      return [{ title: `label ${keys[0]} of a route`, text, isHtml: false, line: lineOf(node), routeLabels }];
    }),
  );
  return {
    templates: [...templates, ...ofRoutes],
    globs: isSeq(globs) ? globs.items.map((item) => String(isScalar(item) ? item.value : '')) : [],
  };
}

interface RouteLabels {
  /** Those that the route sets. */
  readonly own: readonly FoundScalar[];
  /** With those that it inherits. */
  readonly routeLabels: Labels;
}

/** The labels of a route, which Alertmanager has since 0.34, and of all routes below it. */
function routeLabelsIn(route: unknown, inherited: Labels): readonly RouteLabels[] {
  if (!isMap(route)) return [];
  const own = scalarsIn(route.get('labels'), []).filter(({ keys }) => keys.length === 1);
  const routeLabels = {
    ...inherited,
    ...Object.fromEntries(own.map(({ node, keys }) => [keys[0], String(node.value)])),
  };
  const routes = route.get('routes');
  const below = isSeq(routes) ? routes.items.flatMap((item) => routeLabelsIn(item, routeLabels)) : [];
  return [{ own, routeLabels }, ...below];
}

/**
 * The templates in the user's files that Alertmanager fills in itself, with what it calls them with, and those that use fields which
 * only a notification has. Others, and those that a template or `texts` call with a part of one, are filled in by their callers.
 */
export function templatesOfFiles(
  files: readonly RenderedFile[],
  texts: readonly string[] = [],
): readonly NotificationTemplate[] {
  const contents = files.map(contentOf);
  const calls = [...contents, ...texts].flatMap((text) => [
    ...text.matchAll(/\{\{-?\s*template\s+"((?:[^"\\]|\\.)+)"\s*(.*?)\s*-?\}\}/gs),
  ]);
  const takesPart = new Set(calls.filter(([, , argument]) => !/^[.$]?$/.test(argument ?? '')).map(([, name]) => name));
  return contents.flatMap((content) => {
    // Text before the first definition, then names and bodies in turn.
    const [, ...parts] = content.split(/\{\{-?\s*define\s+"((?:[^"\\]|\\.)+)"\s*-?\}\}/);
    return parts.flatMap((name, at): NotificationTemplate[] => {
      if (at % 2 !== 0) return [];
      const template = { title: name, isHtml: /html/i.test(name) };
      if (name === listTemplate) return [{ ...template, argument: '.Alerts.Firing' }];
      const takesNotification =
        defaultTemplate.test(name) ||
        /\.(?:Alerts|(?:Group|Common)\w+|Receiver|ExternalURL)\b/.test(parts[at + 1] ?? '');
      return takesNotification && !takesPart.has(name) ? [template] : [];
    });
  });
}

/** The only default template that Alertmanager calls with a list of alerts (config/notifiers.go of 0.34). */
const listTemplate = 'pagerduty.default.instances';
const defaultTemplate =
  /^(?:discord|email|incidentio|jira|mattermost|msteams|msteamsv2|opsgenie|pagerduty|pushover|rocketchat|slack|sns|telegram|victorops|webex|wechat)\.default\.\w+$/;

/** Whether Alertmanager renders a field with Go's html/template (notify/email, notify/telegram, notify/pushover). */
function isHtml(kind: string, keys: readonly string[], config: unknown): boolean {
  const setting = (key: string): unknown => (isMap(config) ? config.get(key) : undefined);
  if (kind === 'email_configs') return keys[0] === 'html';
  if (kind === 'telegram_configs') return keys[0] === 'message' && (setting('parse_mode') ?? 'HTML') === 'HTML';
  return kind === 'pushover_configs' && keys[0] === 'message' && setting('html') === true;
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
