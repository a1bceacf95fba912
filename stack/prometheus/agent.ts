import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';
import { remoteWrites } from '../long-term/store.ts';
import type { Proof, RenderedFile, Verdict } from '../model.ts';
import { contentOf, Secret } from '../secret.ts';
import { listOf } from '../values/mapping.ts';
import { mainConfig } from './alerts.ts';

const mainPath = 'prometheus.yml';

/** Whether Prometheus only scrapes, and sends all samples on. */
export function isAgent({ prometheus }: StackConfig): boolean {
  return prometheus.mode === 'agent';
}

/** The flag of an image for agent mode; of an image without a version in its tag, the newer one. */
export function agentFlag(image: string): string {
  return /:v?2\.\d/.test(image) ? '--enable-feature=agent' : '--agent';
}

/** Keys without which an agent has nothing to do, and those that Prometheus refuses in agent mode. */
export function agentProblems(config: StackConfig): readonly Problem[] {
  const own = config.prometheus;
  if (!isAgent(config)) return [];
  const refused = (key: 'rules' | 'alerting' | 'remote_read', message: string, hint: string): readonly Problem[] => {
    const value = own[key];
    const items = Array.isArray(value) ? value : Object.values(value ?? {}).flatMap(listOf);
    if (items.length === 0) return [];
    return [{ code: 'agent-mode', path: ['prometheus', key], atKey: true, message, hint }];
  };
  const elsewhere = 'remove it, and put it where remote_write sends the samples; or remove "mode: agent"';
  return [
    ...(remoteWrites(config).length > 0
      ? []
      : [
          {
            code: 'agent-mode',
            path: ['prometheus', 'mode'],
            message: 'an agent only sends samples on, and there is no remote_write to send them to',
            hint: 'add "remote_write: [{url: …}]" under prometheus',
          },
        ]),
    ...refused('rules', 'an agent evaluates no rules', elsewhere),
    ...refused('alerting', 'an agent sends no alerts', elsewhere),
    ...refused('remote_read', 'an agent cannot be queried, so it reads nothing', elsewhere),
    ...unusedAlertmanager(config),
  ];
}

function unusedAlertmanager({ alertmanager }: StackConfig): readonly Problem[] {
  if (alertmanager.enabled || (alertmanager.receivers.length === 0 && alertmanager.route === undefined)) return [];
  return [
    {
      code: 'agent-mode',
      severity: 'warning',
      path: ['alertmanager'],
      atKey: true,
      message: 'an agent sends no alerts, so this stack has no Alertmanager',
      hint: 'write "enabled: true" here if others send alerts to it',
    },
  ];
}

const revisionFile = (revision: string): string => `promstack-revision-${revision}.yml`;

/**
 * The files of an agent: without rules, and with the revision in the name of a file of `scrape_config_files` that does not exist. Prometheus
 * shows that in its config, and it has no effect. Lines of the shipped prometheus.yml become comments, so that line numbers stay.
 */
export function agentFiles(files: readonly RenderedFile[], revision: string): readonly RenderedFile[] {
  const hasOwnKey = mainConfig(files)?.['scrape_config_files'] !== undefined;
  const toAgent = (text: string, isShipped: boolean): string => {
    const lines = isShipped ? text.replaceAll(refusedSections, (block) => block.replaceAll(/^(?=.)/gm, '# ')) : text;
    const end = lines.endsWith('\n') ? lines : `${lines}\n`;
    return hasOwnKey
      ? end
      : `${end}# Shows which files this agent runs.\nscrape_config_files: [${revisionFile(revision)}]\n`;
  };
  return files
    .filter(({ path }) => !path.startsWith('rules/'))
    .map((file) => {
      if (file.path !== mainPath) return file;
      const { content, masked, isShipped = false } = file;
      return {
        ...file,
        masked: masked === undefined ? undefined : toAgent(masked, isShipped),
        content:
          content instanceof Secret
            ? new Secret(toAgent(content.reveal(), isShipped), content.origin)
            : toAgent(content, isShipped),
      };
    });
}

/** Prometheus refuses these in agent mode, even when they are empty. */
const refusedSections = /^(?:rule_files|alerting|remote_read):.*(?:\n+[ -].*)*/gm;

/** The revision in the config that an agent shows. */
export function revisionInConfig(shown: string): string | undefined {
  return /promstack-revision-(\w+)\.yml/.exec(shown)?.[1];
}

/** The proof that an agent has loaded its config; undefined when it carries no revision, so that only its last reload vouches. */
export function agentProof(files: readonly RenderedFile[], port: number): Proof | undefined {
  const main = files.find(({ path }) => path === mainPath);
  const [, revision] =
    /^scrape_config_files: \[promstack-revision-(\w+)\.yml\]$/m.exec(main ? contentOf(main) : '') ?? [];
  if (revision === undefined) return undefined;
  return {
    claim: `shows the config of revision ${revision}`,
    request: { method: 'GET', port, path: '/api/v1/status/config' },
    assess: ({ status, body }): Verdict => {
      if (status !== 200) return { kind: 'notYet', because: `its config API answers ${status}` };
      const running = revisionInConfig(body);
      if (running === revision) return { kind: 'proven' };
      const because = running === undefined ? 'it runs no revision of this stack' : `it still runs revision ${running}`;
      return { kind: 'notYet', because };
    },
  };
}
