import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import type { CheckFinding, RenderedFile } from '../model.ts';
import { contentOf } from '../secret.ts';
import { ruleFiles } from './alerts.ts';
import { withoutFeatureWarnings } from './promtool-output.ts';

/** What `promtool check config` prints about files that it accepts: rules that are there twice, and files that do not exist. */
export function promtoolNotices(output: string, files: readonly RenderedFile[]): readonly CheckFinding[] {
  const text = withoutFeatureWarnings(output);
  return [...missingFiles(text), ...duplicateRules(text, files)];
}

function missingFiles(output: string): readonly CheckFinding[] {
  const warnings = [...output.matchAll(/^\s*WARNING: (.*)$/gm)];
  return warnings.flatMap(([, message = '']) => {
    // Files of the host have a warning at their key.
    if (/^file "\/.* does not exist$/.test(message)) return [];
    const job = /\bin scrape job "(.*?)"/.exec(message)?.[1];
    return {
      path: 'prometheus.yml',
      about: job === undefined ? undefined : `job_name: ${job}`,
      message: message.replaceAll('CONFIG/', ''),
      hint: /does not exist/.test(message) ? 'name it in "prometheus.files"' : undefined,
    };
  });
}

/** `lint error 1 duplicate rule(s) found.`, then name and labels of each. */
function duplicateRules(output: string, files: readonly RenderedFile[]): readonly CheckFinding[] {
  const rules = /^Metric: (.*)\nLabel\(s\):\n((?:\t.*\n?)*)/gm;
  return output.split(/^(?=Checking )/m).flatMap((section) => {
    if (!/^lint error \d+ duplicate rule\(s\) found/m.test(section)) return [];
    const checked = /^Checking CONFIG\/(.*)$/m.exec(section)?.[1];
    return [...section.matchAll(rules)].flatMap(([, name = '', labels = '']) => {
      const pairs = [...labels.matchAll(/^\t([^:]*): (.*)$/gm)].map(([, label, value]) => [label, value]);
      const found = ruleFiles(files)
        .filter(({ path }) => checked === undefined || path === checked)
        .map((file) => ({ file, places: placesOf(file, name, JSON.stringify(pairs.sort())) }))
        .find(({ places }) => places.length > 1);
      if (found === undefined) return [{ path: checked, message: `there are two rules ${name} with the same labels` }];
      const [first, ...others] = found.places;
      return others.map((place) => ({
        path: found.file.path,
        ...place,
        about: name,
        message: `the rule ${name} is there twice with the same labels: the other one is in line ${first?.line}`,
        hint: 'remove one of them, or give them different names or labels',
      }));
    });
  });
}

/** Where a file defines rules of this name and these labels. */
function placesOf(
  file: RenderedFile,
  name: string,
  labels: string,
): readonly { readonly line: number; readonly column: number }[] {
  const counter = new LineCounter();
  const document = parseDocument(contentOf(file), { merge: true, lineCounter: counter, logLevel: 'silent' });
  const root = isMap(document.contents) ? document.contents : undefined;
  return mapsIn(root?.get('groups', true)).flatMap((group) =>
    mapsIn(group.get('rules', true)).flatMap((rule) => {
      const title = rule.get('alert', true) ?? rule.get('record', true);
      const own = { ...labelsOf(group), ...labelsOf(rule) };
      if (!isScalar(title) || String(title.value) !== name) return [];
      if (JSON.stringify(Object.entries(own).sort()) !== labels) return [];
      const { line, col } = counter.linePos(title.range?.[0] ?? 0);
      return [{ line, column: col }];
    }),
  );
}

function labelsOf(map: YAMLMap): Readonly<Record<string, string>> {
  const labels = map.get('labels', true);
  const pairs = isMap(labels) ? labels.items : [];
  return Object.fromEntries(
    pairs.map(({ key, value }) => [
      String(isScalar(key) ? (key.source ?? key.value) : key),
      String(isScalar(value) ? (value.source ?? value.value) : value),
    ]),
  );
}

const mapsIn = (node: unknown): readonly YAMLMap[] => (isSeq(node) ? node.items.filter((item) => isMap(item)) : []);
