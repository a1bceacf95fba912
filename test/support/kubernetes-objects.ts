import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as operatorV1 from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import * as operatorV1alpha1 from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1alpha1';
import * as apps from 'kubernetes-models/apps/v1';
import * as rbac from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import * as core from 'kubernetes-models/v1';
import { stringify } from 'yaml';
import type { KubernetesObject } from '../../scripts/move/kubernetes/kubernetes-draft.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';

type Model = new (data: never) => { validate(): void };

const modules = join(packageRoot(), 'node_modules');
const versions: Readonly<Record<string, { readonly models: object; readonly folder: string }>> = {
  v1: { models: core, folder: 'kubernetes-models/v1' },
  'apps/v1': { models: apps, folder: 'kubernetes-models/apps/v1' },
  'rbac.authorization.k8s.io/v1': { models: rbac, folder: 'kubernetes-models/rbac.authorization.k8s.io/v1' },
  'monitoring.coreos.com/v1': {
    models: operatorV1,
    folder: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  },
  'monitoring.coreos.com/v1alpha1': {
    models: operatorV1alpha1,
    folder: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1alpha1',
  },
};

/** What a cluster would refuse in an object: by the schema of its kind, and by the limits that the schemas do not have. */
export function problemsOf(object: KubernetesObject): readonly string[] {
  const { apiVersion, kind, metadata } = object;
  const where = `${kind} ${metadata.name}`;
  const version = versions[apiVersion];
  const model = (version?.models as Readonly<Record<string, Model>> | undefined)?.[kind];
  if (version === undefined || model === undefined) return [`${where}: unknown kind in ${apiVersion}`];
  const problems = [
    ...limitProblems(object),
    ...operatorProblems(object),
    ...unknownKeys(object, join(modules, version.folder, `${kind}.d.ts`)),
  ];
  try {
    new model(object as never).validate();
  } catch (error) {
    problems.push(String(error));
  }
  return problems.map((problem) => `${where}: ${problem}`);
}

const name = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const label = /^(?:[a-zA-Z0-9](?:[\w.-]{0,61}[a-zA-Z0-9])?)?$/;
const key = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[a-zA-Z0-9](?:[\w.-]{0,61}[a-zA-Z0-9])?$/;

/** Keys whose value is a name, and keys of objects and lists whose `name` is one. */
const nameKeys = new Set(['claimName', 'serviceName', 'serviceAccountName', 'configSecret', 'namespace']);
const namedKeys = new Set(['metadata', 'configMap', 'secret', 'volumes', 'volumeMounts', 'containers', 'roleRef']);
/** Labels of metrics have other limits. */
const ofMetrics = new Set(['groups', 'staticConfigs', 'externalLabels']);

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and labels/; a ConfigMap has at most 1 MiB. */
function limitProblems(object: KubernetesObject): string[] {
  const problems: string[] = [];
  const check = (isValid: boolean, what: string): void => {
    if (!isValid) problems.push(what);
  };
  const walk = (value: object, parent: string): void => {
    for (const [step, inner] of Object.entries(value)) {
      if (ofMetrics.has(step)) continue;
      if (nameKeys.has(step) || (step === 'name' && namedKeys.has(parent))) {
        check(name.test(String(inner)), `${parent}.${step} ${inner}`);
      }
      if (typeof inner !== 'object' || inner === null) continue;
      const isSelector = step === 'selector' && !('matchLabels' in inner);
      const isLabels = step === 'labels' || step === 'matchLabels' || isSelector;
      for (const [labelKey, text] of isLabels || step === 'annotations' ? Object.entries(inner) : []) {
        check(key.test(labelKey), `${step}: key ${labelKey}`);
        check(!isLabels || label.test(String(text)), `${step}: value ${text}`);
      }
      walk(inner, /^\d+$/.test(step) ? parent : step);
    }
  };
  walk({ metadata: object.metadata, spec: object['spec'], roleRef: object['roleRef'] }, '');
  const data = Object.entries({ ...(object['data'] as object), ...(object['binaryData'] as object) });
  for (const [dataKey] of data) check(/^(?!\.\.?$|\.\.)[\w.-]{1,253}$/.test(dataKey), `key ${dataKey}`);
  const size = data.reduce((sum, [dataKey, text]) => sum + dataKey.length + Buffer.byteLength(String(text)), 0);
  // The values of a Secret are base64.
  check(size <= 2 ** 20 * (object.kind === 'Secret' ? 4 / 3 : 1), `${size} bytes of data`);
  check(JSON.stringify(object).length <= 1.5 * 2 ** 20, 'more than etcd takes');
  return problems;
}

/** Lists of the operator's objects in which each item may be there once, and lists that must have an item. */
const sets = new Set(['targets', 'scrapeProtocols', 'enableFeatures', 'promoteResourceAttributes']);
const filledLists = new Set([
  'targets',
  'staticConfigs',
  'relabelings',
  'metricRelabelings',
  'promoteResourceAttributes',
]);

/** What the CRDs have in a form that the published schemas do not have, and what only the operator refuses. */
function operatorProblems(object: KubernetesObject): readonly string[] {
  if (!object.apiVersion.startsWith('monitoring.coreos.com/')) return [];
  const walk = (value: object): readonly string[] =>
    Object.entries(value).flatMap(([step, inner]) => {
      if (typeof inner !== 'object' || inner === null) return [];
      const items: readonly unknown[] | undefined = Array.isArray(inner) ? inner : undefined;
      return [
        ...(items !== undefined && sets.has(step) && new Set(items).size < items.length ? [`twice in ${step}`] : []),
        ...(items?.length === 0 && filledLists.has(step) ? [`${step} is empty`] : []),
        ...walk(inner),
      ];
    });
  const names = object.kind === 'PrometheusRule' ? (object['spec'] as { groups: { name: string }[] }).groups : [];
  const size = object.kind === 'PrometheusRule' ? stringify(object['spec']).length : 0;
  return [
    ...walk(object),
    ...(new Set(names.map((group) => group.name)).size < names.length ? ['two groups of a name'] : []),
    ...(size > 2 ** 19 ? [`${size} bytes of rules`] : []),
  ];
}

/** Keys with mappings of any keys. */
const freeKeys = new Set(
  ['labels', 'annotations', 'matchLabels', 'selector', 'limits', 'requests', 'data', 'binaryData', 'params'].concat([
    'externalLabels',
    'headers',
    'requiredMatchers',
    'nodeSelector',
  ]),
);

/** Keys that no type of the kind has: the schemas allow any. */
function unknownKeys(object: KubernetesObject, declaration: string): readonly string[] {
  const known = keysIn(declaration);
  const walk = (value: unknown, at: string): readonly string[] => {
    if (Array.isArray(value)) return value.flatMap((item, index) => walk(item, `${at}.${index}`));
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([step, inner]) => {
      const isFree = freeKeys.has(step) && !Array.isArray(inner) && !('matchLabels' in Object(inner));
      return [
        ...(known.has(step) ? [] : [`unknown key ${at}.${step}`]),
        ...(isFree ? [] : walk(inner, `${at}.${step}`)),
      ];
    });
  };
  return walk(object, '');
}

const cache = new Map<string, ReadonlySet<string>>();

/** All keys in the type declarations that a declaration imports, and in itself. */
function keysIn(declaration: string): ReadonlySet<string> {
  const cached = cache.get(declaration);
  if (cached !== undefined) return cached;
  const keys = new Set<string>();
  const read = new Set<string>();
  const visit = (path: string): void => {
    if (read.has(path) || !existsSync(path)) return;
    read.add(path);
    const text = readFileSync(path, 'utf8');
    for (const [, found = ''] of text.matchAll(/^\s*"(\w+)"\??:/gm)) keys.add(found);
    for (const [, from = ''] of text.matchAll(/from "([^"]+)"/g)) {
      const target = from.replace(/\.js$/, '');
      visit(target.startsWith('.') ? join(dirname(path), `${target}.d.ts`) : join(modules, `${target}.d.ts`));
    }
  };
  visit(declaration);
  cache.set(declaration, keys);
  return keys;
}
