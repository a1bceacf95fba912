import { names } from '../state/names.ts';
import type { ExportedService } from './compose-file.ts';

/** The README of an export: what must exist before it starts, and how to work with it. */
export function readme(stack: string, revision: string, services: readonly ExportedService[]): string {
  const secrets = services.flatMap((service) => service.secrets);
  const local = services.filter(({ isLocalImage }) => isLocalImage).map(({ spec }) => spec.image);
  const networks = [...new Set(services.flatMap(({ spec }) => spec.networks ?? []))].sort();
  const volumes = services.flatMap(({ spec }) =>
    spec.mounts.flatMap((mount) => (mount.kind === 'data' ? [names.dataVolume(stack, mount.volume)] : [])),
  );
  const sections = [
    `# ${stack}

The monitoring stack ${stack} for plain docker compose 2, exported by promstack at revision ${revision}.

\`\`\`bash
docker compose up -d --wait
\`\`\`

Containers, network and data volumes have the names that promstack gives them: take the stack down with \`promstack down\`
first, which keeps its data. Where docker is not on this machine, copy this folder to its host: its files are mounted.`,
    secrets.length === 0
      ? ''
      : `## Secrets

Each of these files must exist, without a line break at its end. \`promstack export compose --with-secrets\` writes them.
\`.gitignore\` lists their folder. Others on the host cannot read them after \`chmod 700 secrets\`; the containers, which run as
other users, must be able to: \`chmod -R a+rX secrets/*\`.

| file | content |
| --- | --- |
${secrets.map(({ path, values }) => `| \`${path}\` | ${contentText(path, values)} |`).join('\n')}`,
    local.length === 0
      ? ''
      : `## Images

These images were built by promstack from packages, and are in no registry. \`promstack images save\` writes them to a file that
\`docker load\` reads on another host.

${[...new Set(local)].map((image) => `- \`${image}\``).join('\n')}`,
    networks.length === 0
      ? ''
      : `## Networks

These networks must exist: ${networks.map((name) => `\`${name}\``).join(', ')}.`,
    `## Files

\`config/\` has the files of each service. After an edit, reload the service, or \`docker compose restart SERVICE\`: compose itself
does not notice it. A changed secret needs \`docker compose up -d --force-recreate SERVICE\`.`,
    volumes.length === 0
      ? ''
      : `## Data

The data is in ${volumes.map((name) => `\`${name}\``).join(', ')}. \`docker compose down\` keeps it; \`docker compose down -v\` deletes it.`,
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

/** A file that is more than the value has the rest in the file that it replaces. */
function contentText(path: string, values: readonly string[]): string {
  const list = values.map((value) => (value.startsWith('!') ? `\`${value}\`` : value)).join(', ');
  const isValue = /^secrets\/[^/]+\/secrets\//.test(path) || !values.some((value) => value.startsWith('!'));
  return isValue ? list : `\`${path.replace(/^secrets/, 'config')}\` with its secrets: ${list}`;
}
