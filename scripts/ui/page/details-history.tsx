import type { RevisionDiff } from '../page-requests.ts';
import type { PageEntry, PageMistake } from '../page-state.ts';
import { Facts, Loaded, ProblemList, Section, Title, useDetails } from './details-frame.tsx';
import { Ago } from './details-sources.tsx';
import { visible } from './format.ts';
import { NotCurrent, partsState } from './freshness.tsx';
import { askReload, askRollback } from './question.tsx';
import { header, mayChange, open } from './store.ts';
import { Text } from './texts.tsx';
import { driftState, entryState, shortRevision } from './timeline.tsx';

export function EntryDetails({ entry }: { readonly entry: PageEntry }) {
  const { at, kind, place, revision, who, command, changed, why, mistakes } = entry;
  const current = header.value?.revision;
  return (
    <>
      <Title
        kind={kind === 'revision' ? 'Revision' : kind === 'refused' ? 'Rolled back' : 'Edit that was not applied'}
        name={revision === undefined ? command : shortRevision(revision)}
        {...entryState(entry)}
      />
      <Facts
        facts={[
          [kind === 'revision' ? 'Confirmed' : 'Refused', <Ago key="at" at={at} />],
          ['Command', command],
          ['By', who === undefined ? undefined : <Text text={who} />],
        ]}
      />
      {why !== undefined && (
        <Section title="Why">
          <p class="reason">
            <Text text={why} />
          </p>
        </Section>
      )}
      {mistakes.length > 0 && (
        <Section title="Mistakes">
          {mistakes.toSorted(errorsFirst).map((mistake) => (
            <Mistake key={`${mistake.place} ${mistake.message}`} mistake={mistake} />
          ))}
        </Section>
      )}
      {changed.length > 0 && (
        <Section title="Changed files">
          <ul class="plain code">
            {changed.map((path) => (
              <li key={path}>
                <Text text={path} />
              </li>
            ))}
          </ul>
        </Section>
      )}
      {kind === 'revision' && revision !== undefined && revision !== current && place !== 'past' && (
        <p class="actions">
          {current !== undefined && (
            <button
              type="button"
              onClick={() => open({ kind: 'diff', id: `${revision}..${current}`, from: revision, to: current })}
            >
              Compare with the running revision
            </button>
          )}
          {mayChange.value && place === 'restorable' && (
            <button type="button" onClick={() => askRollback(revision)}>
              Roll back to it…
            </button>
          )}
        </p>
      )}
    </>
  );
}

function errorsFirst(a: PageMistake, b: PageMistake): number {
  return Number(b.severity === 'error') - Number(a.severity === 'error');
}

function Mistake({ mistake: { severity, message, hint, place, excerpt } }: { readonly mistake: PageMistake }) {
  return (
    <div class="mistake">
      <p>
        {place !== undefined && (
          <b class="code">
            <Text text={place} />
          </b>
        )}{' '}
        <span class={severity === 'error' ? 'bad' : 'dim'}>{severity}</span> <Text text={message} />
      </p>
      {excerpt.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keyboard too
        <pre tabIndex={0}>{visible(excerpt.join('\n'))}</pre>
      )}
      {hint !== undefined && (
        <p class="try">
          <Text text={hint} />
        </p>
      )}
    </div>
  );
}

export function DriftDetails() {
  const { drift = [], problems = [], file, revision, stack = '' } = header.value ?? {};
  return (
    <>
      <Title
        kind={`What runs, compared with ${file === undefined ? 'the last confirmed revision' : 'what stack.yml says'}`}
        name={stack}
        {...driftState.value}
      />
      <NotCurrent parts={['drift']} />
      <Facts
        facts={[
          ['File', file === undefined ? undefined : <Text text={file} class="code" />],
          [
            'Revision',
            revision !== undefined ? (
              <code>{shortRevision(revision)}</code>
            ) : partsState(['history']).readAt === undefined ? (
              'not known'
            ) : (
              'none confirmed'
            ),
          ],
        ]}
      />
      {drift.length > 0 && (
        <Section title="Differences">
          <ProblemList problems={drift} />
        </Section>
      )}
      {problems.length > 0 && (
        <Section title="Problems of the stack">
          <ProblemList problems={problems} />
        </Section>
      )}
      {mayChange.value && file !== undefined && (
        <p class="actions">
          <button type="button" onClick={askReload}>
            Reload…
          </button>
        </p>
      )}
    </>
  );
}

const changes = { added: '+', removed: '−', changed: '±', routed: '→' } as const;

export function DiffDetails({ from, to }: { readonly from: string; readonly to: string }) {
  const details = useDetails<RevisionDiff>('diff', { from, to }, { isLive: false });
  return (
    <>
      <Title kind="Difference between two revisions" name={`${shortRevision(from)} → ${shortRevision(to)}`} />
      <Loaded details={details}>
        {({ services, meaning, parts, files }) => (
          <>
            {files.length === 0 && meaning.length === 0 && <p class="dim">They are the same.</p>}
            {meaning.length > 0 && (
              <Section title="What it means for alerts">
                <ul class="plain">
                  {meaning.map(({ change, text }) => (
                    <li key={text} class={`change ${change}`}>
                      <span aria-hidden="true">{changes[change]}</span> <span class="hidden">{change}: </span>
                      <Text text={text} />
                    </li>
                  ))}
                </ul>
              </Section>
            )}
            {services.length > 0 && (
              <Section title="Services">
                <Facts
                  facts={services.map(({ service, action, because }) => [
                    service,
                    <Text key={service} text={[action, ...because].join(': ')} />,
                  ])}
                />
              </Section>
            )}
            {parts.length > 0 && (
              <Section title="Parts">
                {parts.map(({ kind, name, change, lines }) => (
                  <details key={`${kind} ${name}`} class="family">
                    <summary class={`change ${change}`}>
                      <span aria-hidden="true">{changes[change]}</span> <span class="hidden">{change}: </span>
                      <Text text={kind} />{' '}
                      <b>
                        <Text text={name} />
                      </b>
                    </summary>
                    <DiffLines lines={lines} />
                  </details>
                ))}
              </Section>
            )}
            {files.length > 0 && (
              <Section title="Files">
                {files.map(({ path, diff }) => (
                  <details key={path} class="family" open={files.length <= 4}>
                    <summary>
                      <Text text={path} class="code" />
                    </summary>
                    <DiffLines lines={diff.split('\n')} />
                  </details>
                ))}
              </Section>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function DiffLines({ lines }: { readonly lines: readonly string[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keyboard too
    <pre class="diff" tabIndex={0}>
      {lines.map((line, at) => (
        <span key={at} class={lineKind(line)}>
          {visible(line)}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

function lineKind(line: string): string {
  if (line.startsWith('+') && !line.startsWith('+++')) return 'added';
  if (line.startsWith('-') && !line.startsWith('---')) return 'removed';
  return line.startsWith('@@') ? 'place' : '';
}
