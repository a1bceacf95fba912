import type { PageAlert, PageReceiver, PageRoute, PageSilence } from '../page-state.ts';
import { Facts, Section, Title } from './details-frame.tsx';
import { Ago } from './details-sources.tsx';
import { countText, plural } from './format.ts';
import { alertParts, knowsRoutes, NotCurrent } from './freshness.tsx';
import { alertState } from './panel-alerts.tsx';
import { matchersText } from './panel-routing.tsx';
import { askExpire, askSilence } from './question.tsx';
import { alerts, mayChange, open, receivers, routes, silences } from './store.ts';
import { Labels, Mark, StateWord, Text, Time } from './texts.tsx';

export function AlertDetails({ alert }: { readonly alert: PageAlert }) {
  const { name, labels, annotations, activity, since, mutedBy, routes: taken, receivers: names } = alert;
  const { summary, description, ...others } = annotations;
  return (
    <>
      <Title kind="Alert" name={name} {...alertState(alert)} />
      <NotCurrent parts={alertParts.value} />
      {summary !== undefined && (
        <p>
          <Text text={summary} />
        </p>
      )}
      {description !== undefined && (
        <p>
          <Text text={description} />
        </p>
      )}
      <Facts
        facts={[
          ['In Prometheus', activity === 'active' ? 'not any more: only Alertmanager has it' : activity],
          ['Since', since === undefined ? undefined : <Ago at={since} />],
        ]}
      />
      {mayChange.value && (
        <p class="actions">
          <button type="button" onClick={() => askSilence(alert)}>
            Silence…
          </button>
        </p>
      )}
      <Section title="Muted by">
        {mutedBy.length === 0 && <p class="dim">{knowsRoutes.value ? 'nothing' : 'not known'}</p>}
        <ul class="plain">
          {mutedBy.map(({ kind, text, id, receivers }) => (
            <li key={`${kind} ${text}`} class="problem">
              <Mark state="muted" />
              <span class="message">
                <Text text={text} />
                {receivers !== undefined && (
                  <span class="dim">
                    {' '}
                    (only for <Text text={receivers.join(', ')} />)
                  </span>
                )}
                {id !== undefined && silences.value[id] !== undefined && (
                  <>
                    {' '}
                    <button type="button" class="link" onClick={() => open({ kind: 'silence', id })}>
                      Show silence
                    </button>
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Route">
        {taken.length === 0 && <p class="dim">{knowsRoutes.value ? 'none' : 'not known'}</p>}
        {taken.map((id) => (
          <RoutePath key={id} id={id} />
        ))}
        <Facts facts={[['Notifies', <Receivers key="receivers" names={names} />]]} />
      </Section>
      <Section title="Labels">
        <Labels labels={labels} />
      </Section>
      {Object.keys(others).length > 0 && (
        <Section title="Annotations">
          <Labels labels={others} />
        </Section>
      )}
    </>
  );
}

function Receivers({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return <>{knowsRoutes.value ? 'nobody' : 'not known'}</>;
  return (
    <>
      {names.map((name, at) => (
        <span key={name}>
          {at > 0 && ', '}
          <button type="button" class="link" onClick={() => open({ kind: 'receiver', id: receiverByName(name) })}>
            <Text text={name} />
          </button>
        </span>
      ))}
    </>
  );
}

function receiverByName(wanted: string): string {
  return Object.values(receivers.value).find(({ name }) => name === wanted)?.id ?? wanted;
}

/** A route and those above it, from the root. */
function RoutePath({ id }: { readonly id: string }) {
  const path: PageRoute[] = [];
  const seen = new Set<string>();
  for (let at: string | undefined = id; at !== undefined && !seen.has(at); at = routes.value[at]?.parent) {
    seen.add(at);
    const route = routes.value[at];
    if (route !== undefined) path.unshift(route);
  }
  return (
    <ol class="path">
      {path.map((route) => (
        <li key={route.id}>
          <button type="button" class="link" onClick={() => open({ kind: 'route', id: route.id })}>
            <Text text={matchersText(route)} />
          </button>{' '}
          <span class="dim">
            → <Text text={route.receiver} />
          </span>
        </li>
      ))}
    </ol>
  );
}

export function RouteDetails({ route }: { readonly route: PageRoute }) {
  const { id, receiver, continues, groupBy, groupWait, groupInterval, repeatInterval, mutedBy, alerts: count } = route;
  const own = Object.values(alerts.value).filter(({ routes }) => routes.includes(id));
  return (
    <>
      <Title
        kind="Route"
        name={matchersText(route)}
        {...(mutedBy === undefined ? {} : { state: 'muted' as const, word: mutedBy })}
      />
      <Facts
        facts={[
          ['Notifies', <Receivers key="receiver" names={[receiver]} />],
          [
            'Grouped by',
            groupBy.length === 0 ? 'nothing: one notification for all' : <Text text={groupBy.join(', ')} />,
          ],
          ['First after', groupWait],
          ['Changes after', groupInterval],
          ['Repeated after', repeatInterval],
          ['Continues', continues ? 'yes: the routes after it are tried too' : 'no'],
          ['Alerts', countText(count)],
        ]}
      />
      <Section title="From the root">
        <RoutePath id={id} />
      </Section>
      {own.length > 0 && (
        <Section title="Alerts that take it">
          <AlertList alerts={own} />
        </Section>
      )}
    </>
  );
}

function AlertList({ alerts }: { readonly alerts: readonly PageAlert[] }) {
  return (
    <ul class="plain">
      {alerts.slice(0, 100).map((alert) => (
        <li key={alert.id}>
          <StateWord {...alertState(alert)} />{' '}
          <button type="button" class="link" onClick={() => open({ kind: 'alert', id: alert.id })}>
            <Text text={alert.name} />
          </button>
        </li>
      ))}
    </ul>
  );
}

export function ReceiverDetails({ receiver }: { readonly receiver: PageReceiver }) {
  const { name, integrations, state, word, delivered, failed, unknown, notifications } = receiver;
  return (
    <>
      <Title kind="Receiver" name={name} state={state} word={word} />
      <NotCurrent parts={['routes', 'alerts', 'notifications']} />
      <Facts
        facts={[
          ['Integrations', <Text key="integrations" text={integrations.join(', ') || 'none'} />],
          ['Delivered', delivered === undefined ? 'not known' : `${countText(delivered)} since Alertmanager started`],
          [
            'Failed',
            failed === undefined ? (
              'not known'
            ) : failed === 0 ? (
              '0'
            ) : (
              <span class="bad">{plural(failed, 'attempt')}</span>
            ),
          ],
          ['Not known', unknown],
        ]}
      />
      <Section title="Last notifications">
        {notifications.length === 0 && (
          <p class="dim">{unknown === undefined ? 'none in the last day' : 'only failures would be known: none'}</p>
        )}
        <ul class="plain notifications">
          {notifications.map(({ at, outcome, integration, text, alerts }, index) => (
            <li key={`${at} ${index}`}>
              <StateWord state={outcome === 'delivered' ? 'ok' : 'wrong'} word={outcome} />
              <span class="dim">
                <Time at={at} />
                {integration !== undefined && (
                  <>
                    {' '}
                    <Text text={integration} />
                  </>
                )}
              </span>
              <p>
                <Text text={alerts.join(', ')} />
              </p>
              <p class={outcome === 'failed' ? 'reason' : 'dim'}>
                <Text text={text} />
              </p>
            </li>
          ))}
        </ul>
      </Section>
    </>
  );
}

export function SilenceDetails({ silence }: { readonly silence: PageSilence }) {
  const { id, state, matchers, startsAt, endsAt, by, comment } = silence;
  const own = Object.values(alerts.value).filter(({ mutedBy }) => mutedBy.some((mute) => mute.id === id));
  return (
    <>
      <Title kind="Silence" name={matchers.join(', ')} state="muted" word={state} />
      <Facts
        facts={[
          ['Reason', <Text key="comment" text={comment} />],
          ['By', <Text key="by" text={by} />],
          ['From', <Time key="from" at={startsAt} />],
          ['Until', <Time key="until" at={endsAt} />],
        ]}
      />
      {mayChange.value && (
        <p class="actions">
          <button type="button" onClick={() => askExpire(silence)}>
            End silence…
          </button>
        </p>
      )}
      <Section title="Alerts that it mutes">
        {own.length === 0 ? <p class="dim">none now</p> : <AlertList alerts={own} />}
      </Section>
    </>
  );
}
