import type { KubernetesDraft } from './kubernetes-draft.ts';

/** Reports the keys of stack.yml that are about the engine, or about several servers. */
export function reportStackKeys(draft: KubernetesDraft): void {
  const { findings, rendering, isPlain } = draft;
  const { config, services, tests } = rendering;
  const at = (...path: readonly (string | number)[]) => draft.at(...path);
  findings.changed('name', at('name'), 'namespace', 'all objects are in it');
  findings.left(
    'bind',
    at('bind'),
    'Services are reached in the cluster only: use kubectl port-forward, or an Ingress',
  );
  findings.taken('timezone', at('timezone'), 'env TZ');
  for (const { service, container } of services) {
    for (const port of container.ports) {
      const why = `its Service has port ${port.container}, in the cluster only`;
      findings.left(`port ${port.host} of ${service.name}`, at(...(service.path ?? [service.name]), 'port'), why);
    }
    const { memoryBytes, cpus } = container.resources;
    if (memoryBytes !== undefined || cpus !== undefined) {
      const path = [...(service.path ?? [service.name]), 'resources'];
      findings.taken(path.join('.'), at(...path), `limits of ${service.name}`);
    }
    for (const network of container.networks ?? []) {
      const why =
        'a cluster has no networks of docker: write the names of Services into the targets, such as db.shop.svc';
      findings.left(`network ${network} of ${service.name}`, at('networks'), why);
    }
    const url = Object.values({ ...container.env, ...Object.fromEntries(container.args.entries()) }).find((text) =>
      /^(?:--web\.external-url=)?https?:\/\/(?:localhost|127\.0\.0\.1)[:/]/.test(text),
    );
    if (url !== undefined) {
      const own = service.name === 'grafana' ? 'root_url' : 'external_url';
      findings.changed(
        `${service.name}.${own}`,
        at(service.name, own),
        undefined,
        'links lead to localhost, which works with kubectl port-forward: set it to the address of an Ingress',
      );
    }
  }
  if (config.heartbeat !== undefined)
    findings.taken(
      'heartbeat',
      at('heartbeat'),
      isPlain ? 'its rule and its route' : 'PrometheusRule promstack-heartbeat, and its route',
    );
  if (config.long_term?.remote !== undefined)
    findings.taken('long_term.remote', at('long_term', 'remote'), isPlain ? 'remote_write' : 'remoteWrite');
  if (config.access !== undefined)
    findings.taken('access', at('access'), 'files of the servers and their clients, where not listed as left out');
  if (tests.length > 0) findings.left('tests', at('tests'), '`promstack check` runs them; a cluster does not');
}
