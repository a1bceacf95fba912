import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { inspect } from 'node:util';
import type Dockerode from 'dockerode';
import { unreachable } from '../../util/unreachable.ts';
import type { Endpoint } from '../endpoint.ts';
import { createSshAgent } from './ssh-agent.ts';

/** How connections to the endpoint are made and kept. */
export function agentFor(endpoint: Endpoint): Agent {
  const agent = newAgent(endpoint);
  // docker-modem prints the options of each request for its debug log, wanted or not, and would print all the sockets of
  // the agent with them: 5 to 10 ms a request.
  return Object.assign(agent, { [inspect.custom]: () => 'Agent' });
}

function newAgent(endpoint: Endpoint): Agent {
  switch (endpoint.kind) {
    case 'socket':
      // A socket of this machine costs nothing to open, and a kept one may have been closed by the other end.
      return new Agent({ keepAlive: false });
    case 'tcp':
      return endpoint.tls === undefined ? new Agent({ keepAlive: true }) : toTlsAgent(endpoint.tls);
    case 'ssh':
      return createSshAgent(endpoint);
    default:
      return unreachable(endpoint);
  }
}

/**
 * What docker-modem is told. It fills every option that is not there from the DOCKER_* variables, which `connect` has
 * read already: each is therefore named, if only as undefined.
 */
export function toModemOptions(endpoint: Endpoint, agent: Agent): Dockerode.DockerOptions {
  const blank = { socketPath: undefined, host: undefined, port: undefined, username: undefined, pathPrefix: '/' };
  const common = { ...blank, ca: undefined, cert: undefined, key: undefined, timeout: undefined, agent };
  switch (endpoint.kind) {
    case 'socket':
      return { ...common, protocol: 'http', socketPath: endpoint.path };
    case 'tcp': {
      const host = endpoint.hostname.includes(':') ? `[${endpoint.hostname}]` : endpoint.hostname;
      return { ...common, protocol: endpoint.tls === undefined ? 'http' : 'https', host, port: endpoint.port };
    }
    case 'ssh':
      // The agent leads every connection through ssh; the name is only for the Host header.
      return { ...common, protocol: 'http', host: 'docker', port: 80 };
    default:
      return unreachable(endpoint);
  }
}

function toTlsAgent(tls: NonNullable<Extract<Endpoint, { kind: 'tcp' }>['tls']>): Agent {
  return new TlsAgent({
    keepAlive: true,
    rejectUnauthorized: tls.verify,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  });
}
