import { computed } from '@preact/signals';
import type { GroupDetails, RuleDetails, TargetDetails } from '../page-requests.ts';
import type { PageGroup, PageNode, PageRule, PageTarget } from '../page-state.ts';
import { Facts, Loaded, ProblemList, Section, Title, useDetails } from './details-frame.tsx';
import { bytesText, countText, durationText, plural, tookText } from './format.ts';
import { NotCurrent } from './freshness.tsx';
import { ruleWord } from './panel-alerts.tsx';
import { groupWord } from './panel-sources.tsx';
import { problemsByNode } from './problems.tsx';
import { askDelete } from './question.tsx';
import { alerts, mayChange, now, open } from './store.ts';
import { Age, Labels, Linked, labelsText, StateWord, Text, Time } from './texts.tsx';

export function NodeDetails({ node }: { readonly node: PageNode }) {
  const { id, title, state, word, figures, url, image, uptime } = node;
  const problems = problemsByNode.value[id] ?? [];
  return (
    <>
      <Title kind="Part of the pipeline" name={title} state={state} word={word} />
      {problems.length > 0 && (
        <Section title="Problems">
          <ProblemList problems={problems} />
        </Section>
      )}
      <Facts
        facts={[
          ['Address', url === undefined ? undefined : <Linked text={url} />],
          ['Container', uptime],
          ['Image', image === undefined ? undefined : <Text text={image} class="code" />],
        ]}
      />
      {figures.length > 0 && (
        <Section title="Figures">
          <dl class="facts">
            {figures.map(({ label, text, state }) => (
              <div key={label}>
                <dt>
                  <Text text={label} />
                </dt>
                <dd>{state === 'ok' ? <Text text={text} /> : <StateWord state={state} word={text} />}</dd>
              </div>
            ))}
          </dl>
        </Section>
      )}
    </>
  );
}

export function GroupDetailsView({ group }: { readonly group: PageGroup }) {
  const details = useDetails<GroupDetails>('group', { id: group.id });
  const { job, labels, state, pushedAt, failedAt, expiresAt, series, metrics, bytes } = group;
  return (
    <>
      <Title kind="Pushed group" name={job} state={state} word={groupWord(group)} />
      <NotCurrent parts={['groups']} />
      <Facts
        facts={[
          ['Last push', pushedAt === undefined ? 'never accepted' : <Ago at={pushedAt} />],
          ['Last refused push', failedAt === undefined ? undefined : <Ago at={failedAt} />],
          [
            'Deleted without a push',
            expiresAt === undefined ? undefined : `in ${durationText(expiresAt - now.value)} (pushgateway.ttl)`,
          ],
          ['Size', `${plural(metrics, 'metric')}, ${countText(series)} series, ${bytesText(bytes)}`],
        ]}
      />
      {state === 'wrong' && failedAt !== undefined && (
        <p class="try">
          The last push was refused: <code>promstack push --check FILE</code> says why.
        </p>
      )}
      <Section title="Labels of the group">
        <Labels labels={{ job, ...labels }} />
      </Section>
      {mayChange.value && (
        <p class="actions">
          <button type="button" onClick={() => askDelete(group)}>
            Delete group…
          </button>
        </p>
      )}
      <Section title="Metrics">
        <Loaded details={details}>
          {({ families, left }) => (
            <>
              {families.map(({ name, type, help, series }) => (
                <details key={name} class="family" open={families.length <= 12}>
                  <summary>
                    <Text text={name} class="code" /> <Text text={type} class="dim" />
                    {series.length > 1 && <span class="dim"> · {countText(series.length)}</span>}
                  </summary>
                  {help !== '' && (
                    <p class="dim">
                      <Text text={help} />
                    </p>
                  )}
                  <table>
                    <caption class="hidden">
                      <Text text={name} />
                    </caption>
                    <thead class="hidden">
                      <tr>
                        <th scope="col">labels</th>
                        <th scope="col">value</th>
                      </tr>
                    </thead>
                    <tbody>
                      {series.map(({ labels, value }) => (
                        <tr key={labelsText(labels)}>
                          <td>
                            <Text text={labelsText(labels) || 'no labels'} class="code" />
                          </td>
                          <td class="figure">
                            <Text text={value} />
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </details>
              ))}
              {left > 0 && <p class="dim">{plural(left, 'series', 'series')} more are not shown.</p>}
            </>
          )}
        </Loaded>
      </Section>
    </>
  );
}

export function TargetDetailsView({ target }: { readonly target: PageTarget }) {
  const details = useDetails<TargetDetails>('target', { id: target.id });
  const { job, instance, url, state, health, error } = target;
  return (
    <>
      <Title kind={`Target of ${job}`} name={instance} state={state} word={health} />
      <NotCurrent parts={['targets']} />
      {error !== undefined && (
        <Section title="Last error">
          <p class="reason">
            <Text text={error} />
          </p>
          <p class="try">
            Prometheus asks from its own container: check that the address answers there and that the job names the
            right port, path and credentials.
          </p>
        </Section>
      )}
      <Section title="Scrape">
        <Facts facts={[['Address', <Text key="url" text={url} class="code" />]]} />
        <Loaded details={details}>
          {({ lastScrape, scrapeSeconds, interval, timeout }) => (
            <Facts
              facts={[
                ['Last scrape', lastScrape === undefined ? 'never' : <Ago at={lastScrape} />],
                ['Took', scrapeSeconds === undefined ? undefined : tookText(scrapeSeconds * 1_000)],
                ['Interval', interval],
                ['Timeout', timeout],
              ]}
            />
          )}
        </Loaded>
      </Section>
      <Section title="Labels">
        <Loaded details={details}>{({ labels }) => <Labels labels={labels} />}</Loaded>
      </Section>
    </>
  );
}

const alertsByName = computed(() => {
  const byName = new Map<string, string[]>();
  for (const { id, name } of Object.values(alerts.value)) byName.set(name, [...(byName.get(name) ?? []), id]);
  return byName;
});

export function RuleDetailsView({ rule }: { readonly rule: PageRule }) {
  const details = useDetails<RuleDetails>('rule', { id: rule.id });
  const { name, kind, group, file, state, error } = rule;
  const own = kind === 'alert' ? (alertsByName.value.get(name) ?? []) : [];
  return (
    <>
      <Title
        kind={kind === 'alert' ? 'Alert rule' : 'Recording rule'}
        name={name}
        state={state}
        word={ruleWord(rule)}
      />
      <NotCurrent parts={['rules']} />
      {error !== undefined && (
        <Section title="Last error">
          <p class="reason">
            <Text text={error} />
          </p>
        </Section>
      )}
      <Facts
        facts={[
          ['Group', <Text key="group" text={group} />],
          ['File', <Text key="file" text={file} class="code" />],
        ]}
      />
      <Loaded details={details}>
        {({ expr, forSeconds, labels, annotations, evaluatedAt, tookSeconds }) => (
          <>
            <Section title="Expression">
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keyboard too */}
              <pre tabIndex={0}>
                <Text text={expr} />
              </pre>
            </Section>
            <Facts
              facts={[
                ['Fires after', forSeconds === undefined ? undefined : durationText(forSeconds * 1_000)],
                ['Evaluated', evaluatedAt === undefined ? undefined : <Ago at={evaluatedAt} />],
                ['Took', tookSeconds === undefined ? undefined : tookText(tookSeconds * 1_000)],
              ]}
            />
            <Section title="Labels">
              <Labels labels={labels} />
            </Section>
            {Object.keys(annotations).length > 0 && (
              <Section title="Annotations">
                <Labels labels={annotations} />
              </Section>
            )}
          </>
        )}
      </Loaded>
      {own.length > 0 && (
        <Section title="Alerts">
          <ul class="plain">
            {own.slice(0, 100).map((id) => (
              <li key={id}>
                <button type="button" class="link" onClick={() => open({ kind: 'alert', id })}>
                  <Text text={labelsText(alerts.value[id]?.labels ?? {})} />
                </button>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

export function Ago({ at }: { readonly at: number }) {
  return (
    <>
      <Age at={at} /> ago{' '}
      <span class="dim">
        at <Time at={at} />
      </span>
    </>
  );
}
