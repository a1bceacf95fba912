import type { StackConfig } from '../config.ts';
import type { CheckCommand, RenderedFile } from '../model.ts';
import { contentOf } from '../secret.ts';
import { partsOfKey } from '../values/config-parts.ts';
import { featuresIn } from '../values/container.ts';
import { flagChecks } from '../values/flag-check.ts';
import { withKeyHints } from '../values/go-messages.ts';
import { webConfigChecks } from '../values/web-config.ts';
import { isAgent } from './agent.ts';
import { alertTemplateChecks } from './alert-templates.ts';
import { jobKeys } from './problems.ts';
import { promtoolNotices } from './promtool-notices.ts';
import { explainPromtool, withFeatureHints } from './promtool-output.ts';
import { explainRuleTests } from './rule-test-output.ts';

/**
 * promtool checks prometheus.yml and the rule files it loads, then runs the rules' tests. Tests of the shipped rules read only those, so
 * they do not run again when the user's files change. `args` are those of the container.
 */
export function checks(
  args: readonly string[],
  config: StackConfig,
  files: readonly RenderedFile[],
  tests: readonly RenderedFile[],
): readonly CheckCommand[] {
  const own = tests.filter(({ isShipped }) => isShipped !== true);
  const shipped = tests.filter(({ isShipped }) => isShipped === true);
  const shippedRules = files.filter(({ isShipped, path }) => isShipped === true && path.startsWith('rules/'));
  const features = promqlFeatures(config);
  const agent = isAgent(config) ? ['--agent'] : [];
  const { extra_args: extra, image } = config.prometheus;
  const flags = {
    service: 'prometheus',
    title: 'Prometheus',
    program: 'prometheus',
    args,
    extra,
    image,
    started: /msg="?Server is ready/,
    smallestConfig: '{}\n',
  };
  return [
    {
      title: 'prometheus.yml and its rules',
      tool: 'promtool',
      argv: ['promtool', 'check', 'config', ...agent, ...flagsFor(features), 'CONFIG/prometheus.yml'],
      warnings: (output) => promtoolNotices(output, files),
      explain: (output) => withFeatureHints(withKeyHints(explainPromtool(output, files), jobKeys), features),
      divisible: {
        path: 'prometheus.yml',
        shared: ['global'],
        partsOf: (config) => Object.entries(config).flatMap(([key, value]) => partsOfKey(key, value, partNames)),
      },
    },
    ...(isAgent(config) ? [] : alertTemplateChecks(files, flagsFor(features))),
    ...flagChecks(flags),
    ...webConfigChecks(flags, files),
    ...(isAgent(config)
      ? []
      : [
          ...ruleTests('the tests of the rules', own, files, features),
          ...ruleTests('the tests of the shipped rules', shipped, shippedRules, []),
        ]),
  ];
}

/** The features of the server that change which expressions are valid. promtool prints a warning about those that it does not have. */
function promqlFeatures({ prometheus: { extra_args } }: StackConfig): readonly string[] {
  return featuresIn(extra_args).filter((name) => /^promql-[a-z-]+$/.test(name));
}

function flagsFor(features: readonly string[]): readonly string[] {
  return features.map((name) => `--enable-feature=${name}`);
}

const partNames = { scrape_configs: 'job', remote_write: 'remote_write', remote_read: 'remote_read' };

function ruleTests(
  title: string,
  tests: readonly RenderedFile[],
  rules: readonly RenderedFile[],
  features: readonly string[],
): readonly CheckCommand[] {
  if (tests.length === 0) return [];
  return [
    {
      title,
      tool: 'promtool',
      argv: ['promtool', 'test', 'rules', ...flagsFor(features), ...tests.map(({ path }) => `CONFIG/${path}`)],
      reads: [...rules, ...tests],
      explain: (output) =>
        withFeatureHints(
          explainRuleTests(
            output,
            tests.map((test) => ({ path: test.path, text: contentOf(test) })),
          ),
          features,
        ),
    },
  ];
}
