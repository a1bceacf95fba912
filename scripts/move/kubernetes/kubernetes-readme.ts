import { findingSections } from '../findings.ts';
import type { DraftSecret, KubernetesDraft } from './kubernetes-draft.ts';

interface ReadmeParts {
  /** Those that have no manifest. */
  readonly secrets: readonly DraftSecret[];
  readonly images: readonly { readonly image: string; readonly isLocal: boolean }[];
}

/** The README of an export to Kubernetes: how to apply it, what must exist, and what became of each part of the stack. */
export function kubernetesReadme(draft: KubernetesDraft, { secrets, images }: ReadmeParts): string {
  const { namespace, rendering, isPlain, findings } = draft;
  const local = [...new Set(images.flatMap(({ image, isLocal }) => (isLocal ? [image] : [])))];
  const sections = [
    `# ${rendering.config.name}

The monitoring stack ${rendering.config.name} for Kubernetes, exported by promstack at revision ${rendering.revision}.
${isPlain ? 'It needs no operator.' : '[prometheus-operator](https://prometheus-operator.dev/) 0.88 or newer must run in the cluster, with its CRDs.'}

\`\`\`bash
kubectl apply -f namespace.yaml
kubectl apply --server-side -k .
\`\`\`

\`--server-side\`, since \`kubectl apply\` alone takes no object of more than 256 KiB.`,
    secrets.length === 0
      ? ''
      : `## Secrets

These must exist before the pods start. \`promstack export kubernetes --with-secrets\` writes them as manifests. Each \`FILE\` is a
file of yours outside this folder: the content alone, without a line break at its end.

${secrets.map((secret) => secretText(namespace, secret)).join('\n\n')}`,
    local.length === 0
      ? ''
      : `## Images

These images were built by promstack from packages, and are in no registry: push them to one that the cluster reaches, and name it
under \`images\` in kustomization.yaml.

${local.map((image) => `- \`${image}\``).join('\n')}`,
    findingSections(findings.all).join('\n').trimEnd(),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function secretText(namespace: string, { name, entries }: DraftSecret): string {
  const files = entries.map(({ key, values }) => {
    return `  --from-file=${key}=${values.length === 0 ? `files/${name}/${key}` : 'FILE'}`;
  });
  const rows = entries.map(({ key, values, masked }) => {
    const list = values.map((value) => (value.startsWith('!') ? `\`${value}\`` : value)).join(', ');
    return `| \`${key}\` | ${masked === undefined ? list : `\`masked/${name}/${key}\` with its secrets: ${list}`} |`;
  });
  return `\`\`\`bash
kubectl -n ${namespace} create secret generic ${name} \\
${files.join(' \\\n')}
\`\`\`

| key | content |
| --- | --- |
${rows.join('\n')}`;
}
