import type { SourceRange } from '../../../stack/diagnostic.ts';
import { isMapping } from '../../../stack/values/mapping.ts';
import type { Rendering } from '../../render/rendering.ts';
import { shortHash } from '../../util/hash.ts';
import { redact } from '../../util/redaction.ts';
import { Findings } from '../findings.ts';
import { labelKey, labelValue, objectName } from './object-names.ts';

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  };
  readonly [key: string]: unknown;
}

/** A key of a Secret. */
export interface SecretEntry {
  readonly key: string;
  readonly content: Buffer;
  /** What is secret in it: `!env SLACK_URL`; empty when nothing is, and only Kubernetes wants a Secret for it. */
  readonly values: readonly string[];
  /** Its text with `[secret]` in place of each secret, when it is more than a secret. */
  readonly masked?: string | undefined;
}

/** A Secret of the export, which is a manifest only with `--with-secrets`. */
export interface DraftSecret {
  readonly name: string;
  readonly entries: readonly SecretEntry[];
  /** Whether its values were made for the export, so that those of an earlier export serve as well. */
  readonly isNew?: boolean | undefined;
}

/** The objects of an export while it is made, and what became of each part of the stack. */
export class KubernetesDraft {
  readonly findings = new Findings();
  readonly objects: { readonly path: string; readonly object: KubernetesObject }[] = [];
  readonly secrets: DraftSecret[] = [];
  readonly namespace: string;
  /** Labels and annotations of all pods: those of stack.yml. */
  readonly podLabels: Readonly<Record<string, string>>;
  readonly podAnnotations: Readonly<Record<string, string>>;
  readonly rendering: Rendering;
  readonly isPlain: boolean;
  readonly #names = new Map<string, string>();
  readonly #taken = new Set<string>();

  constructor(rendering: Rendering, { isPlain }: { readonly isPlain: boolean }) {
    this.isPlain = isPlain;
    this.rendering = rendering;
    this.namespace = this.nameFor('Namespace', rendering.config.name);
    [this.podLabels, this.podAnnotations] = this.#labelsOf(rendering.config.labels);
  }

  /** Where stack.yml has a key; undefined for one that it does not have. */
  at(...path: readonly (string | number)[]): SourceRange | undefined {
    const [where, around] = [this.rendering.locate?.(path), this.rendering.locate?.(path.slice(0, -1))];
    const isSet = where?.line !== around?.line || where?.column !== around?.column || where?.length !== around?.length;
    return isSet ? where : undefined;
  }

  /** The name of an object; two of a kind never have the same. A text that no name can be is reported with its name. */
  nameFor(kind: string, text: string): string {
    const known = this.#names.get(`${kind} ${text}`);
    if (known !== undefined) return known;
    const wanted = objectName(text);
    const isTaken = this.#taken.has(`${kind} ${wanted}`);
    const name = isTaken ? `${wanted.slice(0, 50).replace(/-+$/, '')}-${shortHash(text)}` : wanted;
    this.#names.set(`${kind} ${text}`, name);
    this.#taken.add(`${kind} ${name}`);
    if (name.endsWith(shortHash(text))) {
      const why = isTaken ? 'another has its name' : 'a name has at most 63 lowercase letters, digits and -';
      this.findings.changed(text, undefined, `${kind} ${name}`, why);
    }
    return name;
  }

  add(
    folder: string,
    apiVersion: string,
    kind: string,
    name: string,
    rest: Omit<KubernetesObject, 'apiVersion' | 'kind' | 'metadata'>,
  ): void {
    const labels = { 'app.kubernetes.io/name': labelValue(folder), ...this.partOf };
    const metadata = { name, namespace: this.namespace, labels };
    this.objects.push({
      path: `${folder}/${kind.toLowerCase()}-${name}.yaml`,
      object: { apiVersion, kind, metadata, ...rest },
    });
  }

  /** The label that all objects of the stack have. */
  get partOf(): Readonly<Record<string, string>> {
    return { 'app.kubernetes.io/part-of': labelValue(this.rendering.config.name) };
  }

  /** The labels by which a Service finds the pods of a service. */
  selector(service: string): Readonly<Record<string, string>> {
    return { 'app.kubernetes.io/name': labelValue(service), ...this.partOf };
  }

  #labelsOf(labels: Readonly<Record<string, string>>): [Record<string, string>, Record<string, string>] {
    const [valid, annotations]: [Record<string, string>, Record<string, string>] = [{}, {}];
    for (const [key, value] of Object.entries(labels)) {
      const [validKey, validValue] = [labelKey(key), labelValue(value)];
      const into = `label ${validKey}: ${validValue}`;
      if (validKey.startsWith('app.kubernetes.io/')) {
        this.findings.left(
          `labels.${key}`,
          this.at('labels', key),
          'the objects have labels of this prefix themselves',
        );
        continue;
      }
      if (redact(value) !== value) {
        this.findings.left(`labels.${key}`, this.at('labels', key), 'it has a secret, and everybody can read labels');
        continue;
      }
      valid[validKey] = validValue;
      if (validKey === key && validValue === value) {
        this.findings.taken(`labels.${key}`, this.at('labels', key), 'labels of the pods');
        continue;
      }
      // All annotations of an object together are limited to 256 KiB.
      if (value.length <= 4096) annotations[validKey] = value;
      const why = `Kubernetes takes at most 63 letters, digits, -, _ and .${value.length <= 4096 ? '; an annotation has the whole value' : ''}`;
      this.findings.changed(`labels.${key}`, this.at('labels', key), into, why);
    }
    return [valid, annotations];
  }
}

/** Keys whose values promstack gives, or whose files with secrets are in Secrets: a word in them is not the secret that is the same. */
const ownKeys: ReadonlySet<string> = new Set(
  ['apiVersion', 'kind', 'metadata', 'name', 'namespace', 'matchLabels', 'selector', 'key', 'path', 'image', 'version']
    .concat('mountPath', 'claimName', 'serviceName', 'configSecret', 'data', 'binaryData', 'portName', 'port')
    .concat('targetPort'),
);

/** A value of an object with a mask in place of each secret. */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, ownKeys.has(key) ? inner : withoutSecrets(inner)]),
  );
}
