import { z } from 'zod';
import type { Proof, RenderedFile, Verdict } from '../model.ts';
import type { Release } from '../service.ts';

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

/** The revision a running Prometheus answers with on /api/v1/rules; undefined when it carries none. */
export function revisionIn(body: string): string | undefined {
  const parsed = ruleGroups.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  return parsed.data.data.groups.flatMap((group) => group.rules).find((rule) => rule.name === metric)?.labels?.[
    'revision'
  ];
}

/** Prometheus runs these files when its last reload succeeded and the revision rule it evaluates is ours. */
export function proofs({ revision }: Release): readonly Proof[] {
  const port = 9090;
  return [
    {
      claim: `evaluates the rules of revision ${revision}`,
      request: { method: 'GET', port, path: '/api/v1/rules?type=record&rule_name[]=promstack_revision_info' },
      judge: ({ status, body }): Verdict => {
        if (status !== 200) return { kind: 'notYet', because: `its rules API answers ${status}` };
        const running = revisionIn(body);
        if (running === revision) return { kind: 'proven' };
        return {
          kind: 'notYet',
          because: running === undefined ? 'it runs no revision of this stack' : `it still runs revision ${running}`,
        };
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
