import { stringify } from 'yaml';
import * as z from 'zod';
import type { StackConfig } from '../config.ts';
import type { CertificateEnds, HttpRequest, HttpResponse, RenderedFile } from '../model.ts';
import { isAgent } from '../prometheus/agent.ts';
import { contentOf } from '../secret.ts';
import { configMount } from '../values/container.ts';
import { parseJson } from '../values/parse.ts';
import { accessNames, accessOf } from './access.ts';
import { certificateFiles, certificateFolder } from './internal-ca.ts';

/** The end of a server's certificate, or of an earlier one of its chain, in seconds since 1970: no server has a metric of it. */
const expiryMetric = 'promstack_certificate_expiry_timestamp_seconds';

/**
 * The rules of certificates that promstack issues. They are beside the releases, as the certificates are: a renewed one is no new
 * revision. A glob, since promtool refuses a path that does not exist yet.
 */
const internalRules = `${configMount}/${certificateFolder}/*.yml`;
const internalRulesPath = `${configMount}/${certificateFolder}/${certificateFiles.ends}`;

const recordsExpiry = (config: StackConfig): boolean =>
  config.prometheus.enabled && config.prometheus.shipped_rules && !isAgent(config);

/** The files of rules that Prometheus reads beside those of its release. */
export function expiryRuleFiles(config: StackConfig): readonly string[] {
  const isInternal = accessNames.some((name) => accessOf(config, name)?.tls === 'internal');
  return isInternal && recordsExpiry(config) ? [internalRules] : [];
}

/** Whether a server reads the rules of certificates that promstack issues, by its files. */
export const readsExpiryRules = (files: readonly RenderedFile[]): boolean =>
  files.some((file) => contentOf(file).includes(internalRules));

/** Whether a shipped rule file belongs to a stack: that of certificates only where a server has one. */
export const hasCertificates = (path: string, config: StackConfig): boolean =>
  path !== 'contribute/rules/certificates.yml' || accessNames.some((name) => accessOf(config, name)?.tls !== undefined);

/** The rules by which Prometheus has the ends of certificates as series. */
function expiryRules(group: string, ends: CertificateEnds): string {
  const rules = [...ends]
    .toSorted(([first], [second]) => (first < second ? -1 : 1))
    .map(([service, end]) => ({ record: expiryMetric, expr: `vector(${end})`, labels: { service } }));
  const text = stringify({ groups: [{ name: group, interval: '1m', rules }] });
  return `# Written by promstack: when the certificates of the servers end.\n${text}`;
}

/** The rules of certificates that stack.yml names, as a file of Prometheus. */
export function givenExpiryRules(config: StackConfig, ends: CertificateEnds): readonly RenderedFile[] {
  if (ends.size === 0 || !recordsExpiry(config)) return [];
  const content = expiryRules('promstack-given-certificates', ends);
  return [
    { service: 'prometheus', path: 'rules/promstack-certificates.yml', content, mode: 0o444, origin: 'promstack' },
  ];
}

/** The rules of certificates that promstack issues. */
export const internalExpiryRules = (ends: CertificateEnds): string =>
  expiryRules('promstack-internal-certificates', ends);

/** How a running Prometheus shows which ends it has loaded from the rules of certificates that promstack issues. */
export const loadedEnds = {
  request: {
    method: 'GET',
    port: 9090,
    path: `/api/v1/rules?exclude_alerts=true&file[]=${encodeURIComponent(internalRulesPath)}`,
  } satisfies HttpRequest,
  /** Undefined when the response has none that can be read. */
  read({ status, body }: HttpResponse): CertificateEnds | undefined {
    const { data } = status === 200 ? ruleGroups.safeParse(parseJson(body)) : {};
    if (data === undefined) return undefined;
    const rules = data.data.groups.filter(({ file }) => file === internalRulesPath).flatMap((group) => group.rules);
    return new Map(
      rules.flatMap(({ name, query = '', labels }) => {
        const end = /^vector\((.+)\)$/.exec(query)?.[1];
        const service = labels?.['service'];
        return name === expiryMetric && end !== undefined && service !== undefined ? [[service, Number(end)]] : [];
      }),
    );
  },
} as const;

const ruleGroups = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        file: z.string(),
        rules: z.array(
          z.object({
            name: z.string(),
            query: z.string().optional(),
            labels: z.record(z.string(), z.string()).optional(),
          }),
        ),
      }),
    ),
  }),
});
