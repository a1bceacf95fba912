import * as z from 'zod';
import { formed } from '../values/schemas.ts';
import { expects } from '../values/words.ts';

/** Where the services of a stack run. */
export const targets = ['engine', 'swarm'] as const;

const replicas = (most: number) =>
  z
    .int({ error: expects(`a number of replicas from 1 to ${most}`) })
    .min(1, { error: expects(`a number of replicas from 1 to ${most}`) })
    .max(most, { error: expects(`a number of replicas from 1 to ${most}`) });

const constraint = formed(
  /^[\w.-]+\s*(?:==|!=)\s*\S.*$/,
  'a constraint in the syntax of Docker, such as node.labels.disk == ssd',
);

/** The `swarm` section of stack.yml. */
export const swarmConfig = z
  .strictObject({
    replicas: z
      .strictObject({
        prometheus: replicas(9).default(2).meta({
          description: 'How many Prometheus servers scrape and evaluate the same, each on a node of its own',
        }),
        alertmanager: replicas(9).default(3).meta({
          description: 'How many Alertmanagers form a cluster, each on a node of its own',
        }),
      })
      .prefault({})
      .meta({ description: 'How many tasks of a service run; of the others it is one, or one on each node' }),
    replica_label: formed(/^[A-Za-z_]\w*$/, 'the name of a label, such as replica')
      .default('replica')
      .meta({
        description:
          'The external label by which the samples of the Prometheus replicas differ; alerts are sent without it',
      }),
    constraints: z.record(z.string(), z.array(constraint)).default({}).meta({
      description:
        "By service, the nodes that its tasks may run on, in Docker's syntax, such as pushgateway: [node.labels.disk == ssd]",
    }),
  })
  .prefault({})
  .meta({ description: 'How the stack runs on a swarm, with the target swarm' });
