import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as operatorV1 from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import * as operatorV1alpha1 from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1alpha1';
import * as apps from 'kubernetes-models/apps/v1';
import * as rbac from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import * as core from 'kubernetes-models/v1';
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
  const problems = [...limitProblems(object), ...unknownKeys(object, join(modules, version.folder, `${kind}.d.ts`))];
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

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ and .../names/; 1 MiB is the limit of a ConfigMap. */
function limitProblems(object: KubernetesObject): string[] {
  const problems: string[] = [];
  const check = (isValid: boolean, what: string): void => {
    if (!isValid) problems.push(what);
  };
  const walk = (value: unknown, at: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [step, inner] of Object.entries(value)) {
      const path = `${at}.${step}`;
      if (
        ['name', 'claimName', 'serviceName', 'configSecret', 'namespace'].includes(step) &&
        /metadata|configMap|secret|claim|service|namespace|volume/i.test(path)
      ) {
        if (!path.includes('groups') && !path.includes('.env.')) check(name.test(String(inner)), `${path} ${inner}`);
      }
      const isLabels = ['labels', 'matchLabels', 'selector'].includes(step) && !/groups|staticConfigs/.test(path);
      if (isLabels || step === 'annotations') {
        if (/groups/.test(path)) continue;
        for (const [labelKey, value] of Object.entries(inner as object)) {
          if (labelKey === 'matchLabels') continue;
          check(key.test(labelKey), `${path}: key ${labelKey}`);
          if (isLabels) check(label.test(String(value)), `${path}: value ${value}`);
        }
      }
      walk(inner, path);
    }
  };
  walk({ metadata: object.metadata, spec: object['spec'] }, '');
  const data = Object.entries({ ...(object['data'] as object), ...(object['binaryData'] as object) });
  for (const [dataKey] of data) check(/^[\w.-]{1,253}$/.test(dataKey), `key ${dataKey}`);
  const size = data.reduce((sum, [dataKey, text]) => sum + dataKey.length + Buffer.byteLength(String(text)), 0);
  check(size <= 2 ** 20 * (object.kind === 'Secret' ? 4 / 3 : 1), `${size} bytes of data`);
  check(JSON.stringify(object).length <= 1.5 * 2 ** 20, 'more than etcd takes');
  return problems;
}

const freeKeys = new Set([
  'labels',
  'annotations',
  'matchLabels',
  'selector',
  'limits',
  'requests',
  'data',
  'binaryData',
  'params',
  'externalLabels',
  'headers',
  'requiredMatchers',
]);

/** Keys that no type of the kind has: the schemas allow any. */
function unknownKeys(object: KubernetesObject, declaration: string): readonly string[] {
  const known = keysIn(declaration);
  const walk = (value: unknown, at: string): readonly string[] => {
    if (Array.isArray(value)) return value.flatMap((item, index) => walk(item, `${at}.${index}`));
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([step, inner]) => [
      ...(known.has(step) ? [] : [`unknown key ${at}.${step}`]),
      ...(freeKeys.has(step) && !isList(inner) && step !== 'selector'
        ? []
        : step === 'selector' && !hasMatch(inner)
          ? []
          : walk(inner, `${at}.${step}`)),
    ]);
  };
  return walk(object, '');
}

const isList = (value: unknown): boolean => Array.isArray(value);
const hasMatch = (value: unknown): boolean => typeof value === 'object' && value !== null && 'matchLabels' in value;

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
