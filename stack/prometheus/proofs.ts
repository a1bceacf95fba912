import * as z from 'zod';
import type { Proof, RenderedFile, Verdict } from '../model.ts';
import { Secret } from '../secret.ts';
import type { Release } from '../service.ts';
import { configDir } from '../values/container.ts';
import { parseJson } from '../values/parse.ts';

/** Where the rule that carries the revision lies; its path and group name never change. */
export const revisionRulePath = 'rules/promstack-revision.yml';
const metric = 'promstack_revision_info';

/** A recording rule that carries the revision as a label: seen in the running server, it proves the rules were read again. */
export function revisionRules(revision: string): RenderedFile {
  const content = [
    '# Written by promstack: reading this rule back proves which files Prometheus runs.',
    'groups:',
    '  - name: promstack-revision',
    '    rules:',
    `      - record: ${metric}`,
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
 * Prometheus runs these files when its last reload succeeded, the revision rule it evaluates is ours, and it evaluates a
 * rule file of each place where there are some: a prometheus.yml whose rule_files leave a place out is silently fine.
 */
export function proofs({ revision, files }: Release): readonly Proof[] {
  const port = 9090;
  const samples = sampleRuleFiles(files);
  const asked = [revisionRulePath, ...samples].map((path) => `file[]=${encodeURIComponent(`${configDir}/${path}`)}`);
  return [
    {
      claim: `evaluates the rules of revision ${revision}`,
      request: { method: 'GET', port, path: `/api/v1/rules?exclude_alerts=true&${asked.join('&')}` },
      judge: ({ status, body }): Verdict => {
        if (status !== 200) return { kind: 'notYet', because: `its rules API answers ${status}` };
        const groups = groupsIn(body);
        const running = revisionOf(groups);
        if (running !== revision) {
          return {
            kind: 'notYet',
            because: running === undefined ? 'it runs no revision of this stack' : `it still runs revision ${running}`,
          };
        }
        const missing = samples.find((path) => !groups.some(({ file }) => file === `${configDir}/${path}`));
        if (missing === undefined) return { kind: 'proven' };
        return { kind: 'refuted', because: `it does not evaluate ${missing}: no rule_files of prometheus.yml name it` };
      },
    },
    {
      claim: 'accepted its last reload',
      request: { method: 'GET', port, path: '/api/v1/status/runtimeinfo' },
      judge: ({ status, body }): Verdict => {
        if (status !== 200) return { kind: 'notYet', because: `its status API answers ${status}` };
        const parsed = z.object({ data: z.object({ reloadConfigSuccess: z.boolean() }) }).safeParse(parseJson(body));
        return parsed.success && parsed.data.data.reloadConfigSuccess
          ? { kind: 'proven' }
          : { kind: 'refuted', because: 'it says that its last reload failed; its log has the reason' };
      },
    },
  ];
}

type Groups = z.infer<typeof ruleGroups>['data']['groups'];

function groupsIn(body: string): Groups {
  const parsed = ruleGroups.safeParse(parseJson(body));
  return parsed.success ? parsed.data.data.groups : [];
}

function revisionOf(groups: Groups): string | undefined {
  const rule = groups.flatMap(({ rules }) => rules).find(({ name }) => name === metric);
  return rule?.labels?.['revision'];
}

/** One file that holds rules of each folder and extension, since globs take those together or not at all. */
export function sampleRuleFiles(files: readonly RenderedFile[]): readonly string[] {
  const samples = new Map<string, string>();
  for (const { path, content } of files) {
    if (!path.startsWith('rules/') || path === revisionRulePath) continue;
    const place = path.replace(/[^/]+(\.[^./]+)$/, '*$1');
    const text = content instanceof Secret ? content.reveal() : content;
    if (!samples.has(place) && holdsRules.test(text.replaceAll(comment, ''))) samples.set(place, path);
  }
  return [...samples.values()];
}

const comment = /(?:^|\s)#.*$/gm;
const holdsRules = /(?:^|[\s{,-])["']?(?:alert|record)["']?\s*:/m;
