import * as z from 'zod';
import type { Proof, RenderedFile, Verdict } from '../model.ts';
import { contentOf } from '../secret.ts';
import type { Release } from '../service.ts';
import { configDir } from '../values/container.ts';
import { parseJson } from '../values/parse.ts';
import { agentProof, isAgent } from './agent.ts';
import { fileProofs } from './file-sd.ts';

/** The file of the revision rule; its path and group name never change. */
export const revisionRulePath = 'rules/promstack-revision.yml';
export const revisionMetric = 'promstack_revision_info';

/**
 * A recording rule with the revision as a label: the running server shows by it which files it loaded, and so does a store that it sends
 * samples to; for that it is evaluated more often than others.
 */
export function revisionRules(revision: string, interval?: string | undefined): RenderedFile {
  const content = [
    '# Written by promstack: this rule shows which files Prometheus runs.',
    'groups:',
    '  - name: promstack-revision',
    ...(interval === undefined ? [] : [`    interval: ${interval}`]),
    '    rules:',
    `      - record: ${revisionMetric}`,
    '        expr: vector(1)',
    '        labels:',
    `          revision: "${revision}"`,
    '',
  ].join('\n');
  return { service: 'prometheus', path: revisionRulePath, content, mode: 0o444, origin: 'promstack' };
}

const ruleGroups = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        file: z.string(),
        rules: z.array(z.object({ name: z.string(), labels: z.record(z.string(), z.string()).optional() })),
      }),
    ),
  }),
});

/**
 * Prometheus runs these files when its last reload succeeded, it evaluates our revision rule, and it evaluates a rule file of every
 * folder that has one: it accepts a prometheus.yml whose `rule_files` do not match a folder.
 */
export function proofs({ config, revision, files }: Release): readonly Proof[] {
  const port = 9090;
  if (isAgent(config))
    return [agentProof(files, port), acceptedReload, fileProofs(files, port)].flatMap((proof) => proof ?? []);
  const samples = sampleRuleFiles(files);
  const loaded = stampedRevision(files) ?? revision;
  const query = [revisionRulePath, ...samples].map((path) => `file[]=${encodeURIComponent(`${configDir}/${path}`)}`);
  return [
    {
      claim: `evaluates the rules of revision ${revision}`,
      request: { method: 'GET', port, path: `/api/v1/rules?exclude_alerts=true&${query.join('&')}` },
      assess: ({ status, body }): Verdict => {
        if (status !== 200) return { kind: 'notYet', because: `its rules API answers ${status}` };
        const groups = groupsIn(body);
        const running = revisionOf(groups);
        if (running !== loaded) {
          const because =
            running === undefined ? 'it runs no revision of this stack' : `it still runs revision ${running}`;
          return { kind: 'notYet', because };
        }
        const missing = samples.find((path) => !groups.some(({ file }) => file === `${configDir}/${path}`));
        if (missing === undefined) return { kind: 'proven' };
        return {
          kind: 'refuted',
          because: `it does not evaluate ${missing}: rule_files in prometheus.yml do not match it`,
        };
      },
    },
    acceptedReload,
    ...fileProofs(files, port),
  ];
}

const acceptedReload: Proof = {
  claim: 'accepted its last reload',
  request: { method: 'GET', port: 9090, path: '/api/v1/status/runtimeinfo' },
  assess: ({ status, body }): Verdict => {
    if (status !== 200) return { kind: 'notYet', because: `its status API answers ${status}` };
    const parsed = z.object({ data: z.object({ reloadConfigSuccess: z.boolean() }) }).safeParse(parseJson(body));
    return parsed.success && parsed.data.data.reloadConfigSuccess
      ? { kind: 'proven' }
      : { kind: 'refuted', because: 'its last reload failed; see its log' };
  },
};

/** The revision in the rule of a release: that of the files which the server reads only when it is reloaded. */
export function stampedRevision(files: readonly RenderedFile[]): string | undefined {
  const rule = files.find(({ path }) => path === revisionRulePath);
  return rule === undefined ? undefined : /revision: "(\w+)"/.exec(contentOf(rule))?.[1];
}

type Groups = z.infer<typeof ruleGroups>['data']['groups'];

function groupsIn(body: string): Groups {
  const parsed = ruleGroups.safeParse(parseJson(body));
  return parsed.success ? parsed.data.data.groups : [];
}

function revisionOf(groups: Groups): string | undefined {
  const rule = groups.flatMap(({ rules }) => rules).find(({ name }) => name === revisionMetric);
  return rule?.labels?.['revision'];
}

/** One file with rules per folder and extension, since a glob matches either all of them or none. */
export function sampleRuleFiles(files: readonly RenderedFile[]): readonly string[] {
  const samples = new Map<string, string>();
  for (const file of files) {
    if (!file.path.startsWith('rules/') || file.path === revisionRulePath) continue;
    const glob = file.path.replace(/[^/]+(\.[^./]+)$/, '*$1');
    if (!samples.has(glob) && hasRules.test(contentOf(file).replaceAll(comment, ''))) samples.set(glob, file.path);
  }
  return [...samples.values()];
}

const comment = /(?:^|\s)#.*$/gm;
const hasRules = /(?:^|[\s{,-])["']?(?:alert|record)["']?\s*:/m;
