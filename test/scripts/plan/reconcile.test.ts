import { describe, expect, it } from 'vitest';
import { printPlan } from '../../../scripts/cli/print/plan.ts';
import { driftOf } from '../../../scripts/plan/drift.ts';
import type { ObservedService } from '../../../scripts/plan/observed.ts';
import { hasVisibleSteps, printSteps } from '../../../scripts/plan/plan.ts';
import { reconcile } from '../../../scripts/plan/reconcile.ts';
import type { History, HistoryEntry } from '../../../scripts/state/history.ts';
import { defaultImages } from '../../../stack/values/default-images.ts';
import { desiredStack, observedAs, withService } from '../../support/states.ts';

describe('reconcile', () => {
  it('must create everything of a stack that does not exist', () => {
    const desired = desiredStack(['prometheus', 'sink']);
    const plan = reconcile(desired, observedAs(desired, []));
    expect(printSteps(plan.steps)).toMatchInlineSnapshot(`
      "[] -> #1 create the network demo, because it does not exist yet
      [] -> #2 create the volume demo-prometheus-config, because it does not exist yet
      [] -> #3 create the volume demo-prometheus-data, because it does not exist yet
      [] -> #4 create the volume demo-sink-config, because it does not exist yet
      [2, 4] -> #5 create the config volume writer, because it does not exist yet
      [5] -> #6 switch to the files of prometheus, sink, because their files changed
      [2, 3, 5] -> #7 create prometheus, because no container yet
      [1, 6, 7] -> #8 start prometheus, because no container yet
      [8] -> #9 wait until prometheus is ready, because it was started
      [9] -> #10 confirm that prometheus runs revision prometheus-new, because a reload alone proves nothing
      [4, 5] -> #11 create sink, because no container yet
      [1, 6, 11] -> #12 start sink, because no container yet
      [12] -> #13 wait until sink is ready, because it was started
      [13] -> #14 confirm that sink runs revision sink-new, because a reload alone proves nothing
      [5, 6, 9, 10, 13, 14] -> #15 record revision new, because every service is confirmed
      "
    `);
    expect(printPlan(plan)).toMatchInlineSnapshot(`
      "plan for demo: 2 to change, 0 unchanged
        + prometheus     create    no container yet
        + sink           create    no container yet
      "
    `);
  });

  it('must create containers after their network where the engine demands it', () => {
    const desired = desiredStack(['prometheus', 'sink']);
    const afterNetwork = (createsInNetworks: boolean) => {
      const { steps } = reconcile(desired, { ...observedAs(desired, []), createsInNetworks });
      const network = steps.find((step) => step.do === 'createNetwork')?.id ?? 0;
      return (kind: string) => steps.filter((step) => step.do === kind && step.after.includes(network)).length;
    };
    expect([afterNetwork(true)('createContainer'), afterNetwork(true)('startContainer')]).toEqual([2, 2]);
    expect([afterNetwork(false)('createContainer'), afterNetwork(false)('startContainer')]).toEqual([0, 2]);
  });

  it('must start Grafana, which takes longest, before the others', () => {
    const desired = desiredStack(['prometheus', 'sink', 'grafana']);
    const { steps } = reconcile(desired, observedAs(desired, []));
    const starts = steps.flatMap((step) => (step.do === 'startContainer' ? [step] : []));
    const first = starts.find(({ service }) => service === 'grafana')?.id ?? 0;
    expect(starts.map(({ service, after }) => [service, after.includes(first)])).toEqual([
      ['grafana', false],
      ['prometheus', true],
      ['sink', true],
    ]);
    const unchanged = reconcile(desired, observedAs(desired, ['grafana'])).steps;
    expect(unchanged.some((step) => step.do === 'startContainer' && step.service === 'grafana')).toBe(false);
  });

  it('must do nothing without differences', () => {
    const desired = desiredStack(['prometheus', 'sink']);
    const plan = reconcile(desired, observedAs(desired, ['prometheus', 'sink']));
    expect(plan.steps).toEqual([]);
    expect(printPlan(plan)).toMatchInlineSnapshot(`
      "plan for demo: nothing to do, 2 unchanged
      "
    `);
  });

  it.each([
    ['an unknown file', undefined],
    ['a different file', { host: 'a', folder: '/old', file: 'stack.yml' }],
  ])('must recreate only the config volume writer when the stack was managed from %s', (_, former) => {
    const desired = { ...desiredStack(['prometheus', 'sink']), origin: { host: 'a', folder: '/b', file: 'stack.yml' } };
    const running = observedAs(desired, ['prometheus', 'sink']);
    const plan = reconcile(desired, { ...running, origin: former });
    expect(printSteps(plan.steps)).toMatchInlineSnapshot(`
      "[] -> #1 remove demo-carrier, because it names a different stack.yml or none
      [1] -> #2 create the config volume writer, because it names a different stack.yml or none
      "
    `);
    expect(hasVisibleSteps(plan)).toBe(false);
    expect(reconcile(desired, { ...running, origin: desired.origin }).steps).toEqual([]);
    expect(reconcile({ ...desired, origin: undefined }, { ...running, origin: former }).steps).toEqual([]);
  });

  it('must renew certificates without a restart, a new revision or a reload', () => {
    const desired = desiredStack(['prometheus', 'sink']);
    const running = observedAs(desired, ['prometheus', 'sink']);
    const dueCertificates = new Map([['prometheus', 'its certificate expires on 2026-06-01']]);
    const plan = reconcile(desired, { ...running, dueCertificates });
    expect(printSteps(plan.steps)).toMatchInlineSnapshot(`
      "[] -> #1 provide the certificates of prometheus, because its certificate expires on 2026-06-01
      [1] -> #2 wait until prometheus is ready, because its certificate expires on 2026-06-01
      "
    `);
    expect(printPlan(plan)).toMatchInlineSnapshot(`
      "plan for demo: no service changes, 2 unchanged
        + provide the certificates of prometheus: its certificate expires on 2026-06-01
      "
    `);
    expect(driftOf(desired, { ...running, dueCertificates })).toEqual([]);
  });

  it('must load the ends of renewed certificates into a Prometheus that has rules of them, once', () => {
    const plain = desiredStack(['prometheus', 'sink']);
    const main = 'rule_files: [/etc/promstack/certificates/*.yml]\n';
    const file = { service: 'prometheus', path: 'prometheus.yml', content: main, mode: 0o444, origin: 'a test' };
    const services = plain.services.map((target) => {
      const { release, service } = target;
      return service.name !== 'prometheus' || release === undefined
        ? target
        : { ...target, release: { ...release, files: [file] } };
    });
    const desired = { ...plain, services };
    const running = withService(observedAs(desired, ['prometheus', 'sink']), 'prometheus', { files: [file] });
    const dueCertificates = new Map([
      ['sink', 'its certificate expires on 2026-06-01'],
      ['prometheus', 'its rules have other ends of certificates'],
    ]);
    const plan = reconcile(desired, { ...running, dueCertificates });
    expect(printSteps(plan.steps)).toMatchInlineSnapshot(`
      "[] -> #1 provide the certificates of sink, prometheus, because its certificate expires on 2026-06-01
      [1] -> #2 wait until prometheus is ready, because its rules have other ends of certificates
      [2] -> #3 reload prometheus, because its rules have other ends of certificates
      [3] -> #4 confirm that prometheus runs revision prometheus-new, because a reload alone proves nothing
      [1] -> #5 wait until sink is ready, because its certificate expires on 2026-06-01
      "
    `);
    expect(plan.changes.map(({ action }) => action)).toEqual(['none', 'none']);
  });

  it('must provide the certificates of new servers before they start', () => {
    const desired = desiredStack(['prometheus']);
    const dueCertificates = new Map([['prometheus', 'the stack has no internal CA yet']]);
    const { steps } = reconcile(desired, { ...observedAs(desired, []), dueCertificates });
    const provided = steps.find(({ do: kind }) => kind === 'provideCertificates');
    const switched = steps.find(({ do: kind }) => kind === 'switchReleases');
    expect(switched?.after).toContain(provided?.id);
    expect(steps.find(({ do: kind }) => kind === 'startContainer')?.after).toContain(switched?.id);
  });

  it('must provide the certificates of a stopped server before it starts', () => {
    const desired = desiredStack(['prometheus']);
    const running = observedAs(desired, ['prometheus']);
    const [[name, service]] = [...running.services] as [[string, ObservedService]];
    const services = new Map([[name, { ...service, container: { ...service.container, state: 'exited' as const } }]]);
    const dueCertificates = new Map([['prometheus', 'its certificate expires on 2026-06-01']]);
    const { steps } = reconcile(desired, { ...running, services, dueCertificates });
    expect(steps.map(({ do: kind, after }) => [kind, after])).toEqual([
      ['provideCertificates', []],
      ['startContainer', [1]],
      ['waitReady', [2]],
      ['confirm', [3]],
    ]);
  });

  describe('files that a server reads by itself', () => {
    const main = 'scrape_configs: [{job_name: a, file_sd_configs: [{files: [targets/*.json]}]}]\n';
    const desired = desiredStack(['prometheus', 'grafana']);
    const withFiles = (name: string, texts: Readonly<Record<string, string>>) => ({
      ...desired,
      services: desired.services.map((target) => {
        const files = Object.entries(texts).map(([path, content]) => {
          return { service: name, path, content, mode: 0o444, origin: path };
        });
        const { release } = target;
        return target.service.name === name && release !== undefined
          ? { ...target, release: { ...release, files } }
          : target;
      }),
    });
    const planFor = (
      name: string,
      before: Readonly<Record<string, string>>,
      after: Readonly<Record<string, string>>,
    ) => {
      const files = withFiles(name, before).services.find(({ service }) => service.name === name)?.release?.files;
      const observed = withService(observedAs(desired, ['prometheus', 'grafana']), name, { linked: 'older', files });
      return reconcile(withFiles(name, after), observed);
    };

    it('must be written without a reload when nothing else changes', () => {
      const before = { 'prometheus.yml': main, 'targets/a.json': '[]', 'targets/old.json': '[]' };
      const plan = planFor('prometheus', before, { 'prometheus.yml': main, 'targets/a.json': '[1]' });
      expect(printPlan(plan)).toMatchInlineSnapshot(`
        "plan for demo: 1 to change, 1 unchanged
          ~ prometheus     write     targets/a.json and targets/old.json changed: written without a reload, Prometheus reads them by itself
        "
      `);
      expect(printSteps(plan.steps)).toMatchInlineSnapshot(`
        "[] -> #1 switch to the files of prometheus, because their files changed
        [1] -> #2 wait until prometheus is ready, because targets/a.json and targets/old.json changed: written without a reload, Prometheus reads them by itself
        [2] -> #3 confirm that prometheus runs revision prometheus-new, because a reload alone proves nothing
        [1, 3] -> #4 record revision new, because every service is confirmed
        "
      `);
    });

    it.each([
      ['another file', { 'prometheus.yml': main, 'targets/a.json': '[1]', 'ca.pem': 'b' }],
      ['the config', { 'prometheus.yml': `${main}# more\n`, 'targets/a.json': '[1]', 'ca.pem': 'a' }],
    ])('must be loaded with a reload when %s changes too', (_, after) => {
      const plan = planFor('prometheus', { 'prometheus.yml': main, 'targets/a.json': '[]', 'ca.pem': 'a' }, after);
      expect(plan.changes[0]?.action).toBe('reload');
    });

    it('must recreate the container of a server that reads them only when it starts', () => {
      const plan = planFor('grafana', { 'ldap.toml': 'a' }, { 'ldap.toml': 'b' });
      expect(plan.changes[1]).toEqual({
        service: 'grafana',
        action: 'recreate',
        because: ['it reads ldap.toml only at startup'],
      });
      expect(planFor('grafana', { 'dashboards/a.json': 'a' }, {}).changes[1]?.action).toBe('reload');
    });
  });

  it.each([[['sink']], [['alertmanager', 'sink']]])(
    'must record no revision of a stack of %s, which has no history',
    (services) => {
      const desired = desiredStack(services);
      expect(printSteps(reconcile(desired, observedAs(desired, [])).steps)).not.toContain('record');
      const running = { ...observedAs(desired, services), history: { sequence: 0, entries: [] } };
      expect(reconcile(desired, running).steps).toEqual([]);
    },
  );

  it('must not write over a release of a history that cannot be read', () => {
    const desired = desiredStack(['prometheus', 'sink']);
    // The containers through which the history could be read were removed; the other service has its own.
    const observed = withService(observedAs(desired, ['prometheus', 'sink']), 'sink', { linked: 'older' });
    const services = new Map([...observed.services].filter(([name]) => name === 'sink'));
    const unread = { ...observed, services, configWriter: undefined, history: { sequence: 0, entries: [] } };
    const slots = reconcile(desired, unread).steps.flatMap((step) =>
      step.do === 'switchReleases' ? step.releases.map(({ folder }) => Number(folder.split('/')[0])) : [],
    );
    expect(slots).toHaveLength(2);
    for (const slot of slots) expect(slot).toBeGreaterThanOrEqual(100);
  });

  it('must reuse the slots of a stack that has no history', () => {
    const desired = desiredStack(['sink']);
    const observed = withService(observedAs(desired, ['sink']), 'sink', { linked: 'older' });
    const [release] = reconcile(desired, { ...observed, history: { sequence: 0, entries: [] } }).steps.flatMap(
      (step) => (step.do === 'switchReleases' ? step.releases : []),
    );
    expect(release?.folder).toBe('2/sink-new');
  });

  it('must reload a server whose files changed, and keep its container', () => {
    const desired = desiredStack(['prometheus', 'sink']);
    const observed = withService(observedAs(desired, ['prometheus', 'sink']), 'prometheus', { linked: 'older' });
    expect(printSteps(reconcile(desired, observed).steps)).toMatchInlineSnapshot(`
      "[] -> #1 switch to the files of prometheus, because their files changed
      [1] -> #2 wait until prometheus is ready, because its files changed: revision older -> prometheus-new
      [2] -> #3 reload prometheus, because its files changed: revision older -> prometheus-new
      [3] -> #4 confirm that prometheus runs revision prometheus-new, because a reload alone proves nothing
      [1, 4] -> #5 record revision new, because every service is confirmed
      "
    `);
  });

  it('must recreate a container whose spec changed, with a reason per field', () => {
    const desired = desiredStack(['prometheus']);
    const before = desired.services[0]?.spec;
    if (before === undefined) throw new Error('the stack has a service');
    const spec = {
      ...before,
      image: 'prom/prometheus:v3.4.0',
      args: [...before.args.filter((argument) => !argument.includes('retention')), '--storage.tsdb.retention.time=3d'],
      resources: { memoryBytes: 5 },
    };
    const observed = withService(observedAs(desired, ['prometheus']), 'prometheus', { spec, specHash: 'other' });
    const plan = reconcile(desired, observed);
    expect(printSteps(plan.steps).replaceAll(defaultImages.prometheus, 'DEFAULT')).toMatchInlineSnapshot(`
      "[] -> #1 stop demo-prometheus, because image prom/prometheus:v3.4.0 -> DEFAULT
      [1] -> #2 remove demo-prometheus, because image prom/prometheus:v3.4.0 -> DEFAULT
      [2] -> #3 create prometheus, because image prom/prometheus:v3.4.0 -> DEFAULT
      [3] -> #4 start prometheus, because image prom/prometheus:v3.4.0 -> DEFAULT
      [4] -> #5 wait until prometheus is ready, because it was started
      [5] -> #6 confirm that prometheus runs revision prometheus-new, because a reload alone proves nothing
      "
    `);
    expect(printPlan(plan).replaceAll(defaultImages.prometheus, 'DEFAULT')).toMatchInlineSnapshot(`
      "plan for demo: 1 to change, 0 unchanged
        ± prometheus     recreate  image prom/prometheus:v3.4.0 -> DEFAULT
                                   argument --storage.tsdb.retention.time=3d -> --storage.tsdb.retention.time=15d
                                   memory limit 5B -> unset
      "
    `);
  });

  it('must start a stopped container, and reload a server that has not loaded its files', () => {
    const desired = desiredStack(['prometheus', 'sink']);
    const all = observedAs(desired, ['prometheus', 'sink']);
    const stopped = withService(all, 'sink', { state: 'exited' });
    const observed = withService(stopped, 'prometheus', { unproven: 'it still runs revision older' });
    expect(printSteps(reconcile(desired, observed).steps)).toMatchInlineSnapshot(`
      "[] -> #1 wait until prometheus is ready, because the running server has not loaded its files: it still runs revision older
      [1] -> #2 reload prometheus, because the running server has not loaded its files: it still runs revision older
      [2] -> #3 confirm that prometheus runs revision prometheus-new, because a reload alone proves nothing
      [] -> #4 start sink, because it is stopped
      [4] -> #5 wait until sink is ready, because it was started
      [5] -> #6 confirm that sink runs revision sink-new, because a reload alone proves nothing
      "
    `);
  });

  it('must reload a server without proofs whose files were never confirmed, and recreate one without a reload', () => {
    const desired = desiredStack(['prometheus', 'grafana', 'sink']);
    const observed = observedAs(desired, ['prometheus', 'grafana', 'sink']);
    const older = { prometheus: '1/prometheus-old', grafana: '1/grafana-old', sink: '1/sink-old' };
    const cutShort = { ...observed, history: historyOf(entryOf('old', older)) };
    expect(printSteps(reconcile(desired, cutShort).steps)).toMatchInlineSnapshot(`
      "[] -> #1 stop demo-sink, because its files were never confirmed
      [1] -> #2 remove demo-sink, because its files were never confirmed
      [] -> #3 wait until grafana is ready, because its files were never confirmed
      [3] -> #4 reload grafana, because its files were never confirmed
      [4] -> #5 confirm that grafana runs revision grafana-new, because a reload alone proves nothing
      [2] -> #6 create sink, because its files were never confirmed
      [6] -> #7 start sink, because its files were never confirmed
      [7] -> #8 wait until sink is ready, because it was started
      [8] -> #9 confirm that sink runs revision sink-new, because a reload alone proves nothing
      [5, 8, 9] -> #10 record revision new, because every service is confirmed
      "
    `);
    expect(printPlan(reconcile(desired, cutShort))).toMatchInlineSnapshot(`
      "plan for demo: 2 to change, 1 unchanged
        ~ grafana        reload    its files were never confirmed
        ± sink           recreate  its files were never confirmed
                                   it reads its files only at startup
      "
    `);
    const confirmed = { prometheus: '1/prometheus-new', grafana: '1/grafana-new', sink: '1/sink-new' };
    const settled = { ...observed, history: historyOf(entryOf('new', confirmed)) };
    expect(reconcile(desired, settled).steps).toEqual([]);
    const inDoubt = reconcile(desired, settled, { unconfirmed: new Set(['prometheus', 'grafana']) });
    expect(inDoubt.changes.map(({ action }) => action)).toEqual(['none', 'reload', 'none']);
  });

  it('must treat files as confirmed in a stack without a history', () => {
    const desired = desiredStack(['prometheus', 'grafana']);
    expect(reconcile(desired, observedAs(desired, ['prometheus', 'grafana'])).steps).toEqual([]);
    const keepsNone = desiredStack(['grafana']);
    const observed = { ...observedAs(keepsNone, ['grafana']), history: historyOf() };
    expect(reconcile(keepsNone, observed).changes.map(({ action }) => action)).toEqual(['none']);
  });

  it('must restore files that were changed by hand', () => {
    const desired = desiredStack(['prometheus']);
    const observed = withService(observedAs(desired, ['prometheus']), 'prometheus', { filesHash: 'touched' });
    expect(printPlan(reconcile(desired, observed))).toMatchInlineSnapshot(`
      "plan for demo: 1 to change, 0 unchanged
        ~ prometheus     reload    its files were changed by hand in the config volume
      "
    `);
  });

  it('must remove a service that is no longer part of the stack, and keep its volumes', () => {
    const both = desiredStack(['prometheus', 'sink']);
    const desired = desiredStack(['prometheus']);
    const plan = reconcile(desired, observedAs(both, ['prometheus', 'sink']));
    expect(printSteps(plan.steps)).toMatchInlineSnapshot(`
      "[] -> #1 remove demo-carrier, because it does not mount all config volumes
      [1] -> #2 create the config volume writer, because it does not mount all config volumes
      [] -> #3 stop demo-sink, because the stack has no sink any more
      [3] -> #4 remove demo-sink, because the stack has no sink any more
      [2, 4] -> #5 record revision new, because the history has a different last revision
      "
    `);
    expect(plan.steps.some((step) => step.do === 'removeVolume')).toBe(false);
  });

  it('must start a server only after another service on its port is removed', () => {
    const desired = desiredStack(['prometheus', 'alertmanager'], {
      prometheus: { port: 9095 },
      alertmanager: { port: 9090 },
    });
    const all = observedAs(desired, ['prometheus', 'alertmanager']);
    const holding = (name: string, port: number) => {
      const current = all.services.get(name);
      if (current === undefined) throw new Error(`${name} is not observed`);
      const container = { ...current.container, hostPorts: [{ address: '127.0.0.1', port, containerPort: port }] };
      return [name, { ...current, container, specHash: 'other' }] as const;
    };
    const before = new Map([holding('prometheus', 9090), holding('alertmanager', 9093)]);
    expect(printSteps(reconcile(desired, { ...all, services: before }).steps)).toMatchInlineSnapshot(`
      "[] -> #1 stop demo-prometheus, because it was created from a different spec
      [1] -> #2 remove demo-prometheus, because it was created from a different spec
      [] -> #3 stop demo-alertmanager, because it was created from a different spec
      [3] -> #4 remove demo-alertmanager, because it was created from a different spec
      [2] -> #5 create prometheus, because it was created from a different spec
      [5] -> #6 start prometheus, because it was created from a different spec
      [6] -> #7 wait until prometheus is ready, because it was started
      [7] -> #8 confirm that prometheus runs revision prometheus-new, because a reload alone proves nothing
      [4] -> #9 create alertmanager, because it was created from a different spec
      [2, 9] -> #10 start alertmanager, because it was created from a different spec
      [10] -> #11 wait until alertmanager is ready, because it was started
      [11] -> #12 confirm that alertmanager runs revision alertmanager-new, because a reload alone proves nothing
      "
    `);
  });

  it('must recreate a paused container', () => {
    const desired = desiredStack(['prometheus']);
    const observed = withService(observedAs(desired, ['prometheus']), 'prometheus', { state: 'paused' });
    expect(printPlan(reconcile(desired, observed))).toMatchInlineSnapshot(`
      "plan for demo: 1 to change, 0 unchanged
        ± prometheus     recreate  it is paused
      "
    `);
  });

  it('must return the same plan for the same arguments', () => {
    const desired = desiredStack(['prometheus', 'sink']);
    const observed = observedAs(desired, ['sink']);
    expect(reconcile(desired, observed)).toEqual(reconcile(desired, observed));
  });
});

const historyOf = (...entries: readonly HistoryEntry[]): History => ({ sequence: 1, entries });

function entryOf(revision: string, folders: Readonly<Record<string, string>>): HistoryEntry {
  const services = Object.fromEntries(
    Object.entries(folders).map(([service, folder]) => [service, { folder, hash: 'a hash' }]),
  );
  return { revision, at: '2026-01-02T03:04:05.000Z', who: 'ann@build1', command: 'up', changed: [], services };
}
