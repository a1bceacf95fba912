import type { Entry } from './command.ts';

/** Every command of promstack, in the order of the help. */
export const commands: readonly Entry[] = [
  {
    name: 'up',
    group: 'Start and stop',
    summary: 'create or update the stack to match stack.yml',
    onSwarm: 'works',
    load: async () => (await import('./up.ts')).command,
  },
  {
    name: 'down',
    group: 'Start and stop',
    summary: 'stop and remove the stack; --volumes deletes its data too',
    onSwarm: 'works',
    load: async () => (await import('./down.ts')).command,
  },
  {
    name: 'stop',
    group: 'Start and stop',
    summary: 'stop services; their containers stay',
    onSwarm: {
      instead: 'docker service scale STACK-SERVICE=0 stops a service; promstack up starts it again',
    },
    load: async () => (await import('./start-stop.ts')).stop,
  },
  {
    name: 'start',
    group: 'Start and stop',
    summary: 'start stopped services, and wait until they are ready',
    onSwarm: {
      instead: 'promstack up starts all services',
    },
    load: async () => (await import('./start-stop.ts')).start,
  },
  {
    name: 'restart',
    group: 'Start and stop',
    summary: 'restart services, and wait until they are ready',
    onSwarm: {
      instead: 'promstack up --recreate replaces the tasks of all services, those of one service one at a time',
    },
    load: async () => (await import('./start-stop.ts')).restart,
  },
  {
    name: 'demo',
    group: 'Start and stop',
    summary: 'run a demo stack with sample traffic and a firing alert',
    onSwarm: 'works',
    load: async () => (await import('./demo.ts')).command,
  },
  {
    name: 'plan',
    group: 'Change',
    summary: 'show what up would change, without changing anything',
    onSwarm: 'works',
    load: async () => (await import('./plan.ts')).command,
  },
  {
    name: 'diff',
    group: 'Change',
    summary: 'compare two folders, stack files or git revisions',
    onSwarm: 'works',
    load: async () => (await import('./diff.ts')).command,
  },
  {
    name: 'reload',
    group: 'Change',
    summary: 'apply changed files to the running servers, all or none',
    onSwarm: 'works',
    load: async () => (await import('./reload.ts')).command,
  },
  {
    name: 'watch',
    group: 'Change',
    summary: 'apply every valid edit as you save it',
    onSwarm: {
      instead: 'run promstack up after each edit',
    },
    load: async () => (await import('./watch.ts')).command,
  },
  {
    name: 'history',
    group: 'Change',
    summary: 'list revisions: when, by which user, and which files changed',
    onSwarm: 'works',
    load: async () => (await import('./history.ts')).command,
  },
  {
    name: 'upgrade',
    group: 'Change',
    summary: 'upgrade images, and return with all data when it fails',
    onSwarm: {
      instead:
        'set the new images in stack.yml; promstack up replaces the tasks one at a time, and rolls back when one fails',
    },
    load: async () => (await import('./upgrade.ts')).command,
  },
  {
    name: 'rollback',
    group: 'Change',
    summary: 'restore the config files of an earlier revision',
    onSwarm: 'works',
    load: async () => (await import('./rollback.ts')).command,
  },
  {
    name: 'push',
    group: 'Push and alert',
    summary: 'push metrics to the Pushgateway after validating them',
    onSwarm: {
      instead:
        'send the metrics to http://pushgateway:9091 from a container in the network of the stack, or to the published port',
    },
    load: async () => (await import('./push.ts')).command,
  },
  {
    name: 'groups',
    group: 'Push and alert',
    summary: "list the Pushgateway's groups; remove a group",
    onSwarm: {
      instead:
        'ask http://pushgateway:9091/api/v1/metrics from a container in the network of the stack, or the published port',
    },
    load: async () => (await import('./groups.ts')).command,
  },
  {
    name: 'gc',
    group: 'Push and alert',
    summary: 'delete groups that are no longer pushed to',
    onSwarm: {
      instead: 'set pushgateway.ttl in stack.yml, which deletes groups that are no longer pushed to',
    },
    load: async () => (await import('./gc.ts')).command,
  },
  {
    name: 'verify',
    group: 'Push and alert',
    summary: 'test the pipeline end to end, from a push to a notification',
    onSwarm: {
      instead: 'docker service ls',
    },
    load: async () => (await import('./verify.ts')).command,
  },
  {
    name: 'password',
    group: 'Other',
    summary: "show or rotate Grafana's admin password",
    onSwarm: {
      instead: 'change grafana.admin_password in stack.yml, then promstack up',
    },
    load: async () => (await import('./password.ts')).command,
  },
  {
    name: 'ca',
    group: 'Other',
    summary: "print the certificate of the stack's internal CA",
    onSwarm: {
      instead: 'a stack on a swarm has no internal CA',
    },
    load: async () => (await import('./ca.ts')).command,
  },
  {
    name: 'alert',
    group: 'Push and alert',
    summary: 'show how alerts are routed, and what became of them',
    onSwarm: {
      instead: 'amtool and promtool in the containers of the stack show routes and alerts',
    },
    load: async () => (await import('./alert.ts')).command,
  },
  {
    name: 'backtest',
    group: 'Push and alert',
    summary: 'show how often alerts would have fired in the past',
    onSwarm: {
      instead: 'promstack plan on an engine evaluates alerts over the past',
    },
    load: async () => (await import('./backtest.ts')).command,
  },
  {
    name: 'silence',
    group: 'Push and alert',
    summary: 'add, list and expire silences',
    onSwarm: {
      instead: 'amtool silence add, in a container of Alertmanager or at its published port',
    },
    load: async () => (await import('./silence.ts')).command,
  },
  {
    name: 'unlock',
    group: 'Other',
    summary: 'remove a stale lock left by another machine',
    onSwarm: {
      instead: 'docker config rm STACK-lock, if no other promstack changes the stack',
    },
    load: async () => (await import('./unlock.ts')).command,
  },
  {
    name: 'init',
    group: 'Start and stop',
    summary: 'write a commented stack.yml to start from',
    onSwarm: 'works',
    load: async () => (await import('./init.ts')).command,
  },
  {
    name: 'import',
    group: 'Start and stop',
    summary: 'write a stack.yml from the files of an existing stack',
    onSwarm: 'works',
    load: async () => (await import('./import.ts')).command,
  },
  {
    name: 'check',
    group: 'Change',
    summary: 'validate stack.yml and every rendered file',
    onSwarm: 'works',
    load: async () => (await import('./check.ts')).command,
  },
  {
    name: 'fix',
    group: 'Change',
    summary: 'rewrite renamed keys of stack.yml in place',
    onSwarm: 'works',
    load: async () => (await import('./fix.ts')).command,
  },
  {
    name: 'config',
    group: 'Change',
    summary: 'print stack.yml, several files merged, with the origins',
    onSwarm: 'works',
    load: async () => (await import('./config.ts')).command,
  },
  {
    name: 'render',
    group: 'Change',
    summary: 'print the rendered config files',
    onSwarm: 'works',
    load: async () => (await import('./render.ts')).command,
  },
  {
    name: 'status',
    group: 'Inspect',
    summary: 'show the state of every service, and how to fix problems',
    onSwarm: 'works',
    load: async () => (await import('./status.ts')).command,
  },
  {
    name: 'advise',
    group: 'Inspect',
    summary: 'propose memory limits from what the servers hold',
    onSwarm: { instead: 'promstack status shows the tasks; docker stats on each node shows what they use' },
    load: async () => (await import('./advise.ts')).command,
  },
  {
    name: 'doctor',
    group: 'Inspect',
    summary: 'look for what commonly goes wrong on an engine',
    onSwarm: 'works',
    load: async () => (await import('./doctor.ts')).command,
  },
  {
    name: 'ps',
    group: 'Inspect',
    summary: 'list the containers of the stack',
    onSwarm: {
      instead: 'promstack status lists the tasks and their nodes',
    },
    load: async () => (await import('./ps.ts')).command,
  },
  {
    name: 'ls',
    group: 'Inspect',
    summary: 'list the stacks on the engine',
    onSwarm: 'works',
    load: async () => (await import('./ls.ts')).command,
  },
  {
    name: 'wait',
    group: 'Inspect',
    summary: 'wait until all services are ready',
    onSwarm: {
      instead: 'promstack up returns once all tasks run and are confirmed',
    },
    load: async () => (await import('./wait.ts')).command,
  },
  {
    name: 'logs',
    group: 'Inspect',
    summary: 'show the logs of the services, merged by time',
    onSwarm: 'works',
    load: async () => (await import('./logs.ts')).command,
  },
  {
    name: 'open',
    group: 'Inspect',
    summary: 'open a service in the browser',
    onSwarm: {
      instead: 'promstack up prints the published addresses',
    },
    load: async () => (await import('./open.ts')).command,
  },
  {
    name: 'ui',
    group: 'Inspect',
    summary: 'open a live page of the pipeline',
    onSwarm: { instead: 'promstack status shows the state of all tasks' },
    load: async () => (await import('./ui.ts')).command,
  },
  {
    name: 'port',
    group: 'Inspect',
    summary: 'print the address at which a service is published',
    onSwarm: {
      instead: 'promstack up prints the published addresses',
    },
    load: async () => (await import('./port.ts')).command,
  },
  {
    name: 'images',
    group: 'Other',
    summary: 'list, pull, save or load the images of the stack',
    onSwarm: 'works',
    load: async () => (await import('./images.ts')).command,
  },
  {
    name: 'backup',
    group: 'Other',
    summary: 'copy the data of the running stack to a file',
    onSwarm: {
      instead: 'copy the volumes on the nodes that promstack status lists',
    },
    load: async () => (await import('./backup.ts')).command,
  },
  {
    name: 'restore',
    group: 'Other',
    summary: 'start the stack with the data of a backup',
    onSwarm: {
      instead: 'copy the volumes back on their nodes, with the services scaled to 0',
    },
    load: async () => (await import('./restore.ts')).command,
  },
  {
    name: 'rename',
    group: 'Other',
    summary: 'give the stack another name, with all its data',
    onSwarm: {
      instead: 'promstack down, then set the new name and promstack up: the volumes of the old name are kept',
    },
    load: async () => (await import('./rename.ts')).command,
  },
  {
    name: 'compose',
    group: 'Other',
    summary: 'run the stack as a service of docker compose',
    onSwarm: {
      instead: 'compose runs on one engine: remove the target from stack.yml',
    },
    load: async () => (await import('./compose.ts')).command,
  },
  {
    name: 'export',
    group: 'Other',
    summary: 'write the stack for another tool, such as docker compose',
    onSwarm: {
      instead:
        'docker service inspect shows the services as they run; for compose or Kubernetes, remove the target from stack.yml',
    },
    load: async () => (await import('./export.ts')).command,
  },
  {
    name: 'schema',
    group: 'Other',
    summary: "print the JSON Schema of stack.yml, or of --json's output",
    onSwarm: 'works',
    load: async () => (await import('./schema.ts')).schemaOf(commands),
  },
  {
    name: 'completion',
    group: 'Other',
    summary: 'print a shell completion script',
    onSwarm: 'works',
    load: async () => (await import('./completion.ts')).completionOf(commands),
  },
  {
    name: 'version',
    group: 'Other',
    summary: 'print the versions of promstack, Node.js and the engine',
    onSwarm: 'works',
    load: async () => (await import('./version.ts')).command,
  },
];
