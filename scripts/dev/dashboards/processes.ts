import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { graph, stat } from './panels.ts';
import { orangeFrom, redFrom } from './thresholds.ts';

const groups = (more = '') => `{job="process", groupname=~"$group"${more}}`;

const cpuSeconds = `namedprocess_namegroup_cpu_seconds_total${groups()}`;
const pageReads = `namedprocess_namegroup_major_page_faults_total${groups()}`;

/** The same five groups in all of the graph: the largest on average. */
const largest = (gauge: string): string => `${gauge} and topk(5, avg_over_time(${gauge}[$__range] @ end()))`;

/** CPU, memory and threads of groups of processes of the host. */
export const processes: DashboardPlan = {
  uid: 'promstack-process',
  title: 'Processes',
  description: 'CPU, memory and threads of groups of processes of the host.',
  variables: [
    labelVariable({
      name: 'group',
      label: 'Group',
      description: 'Groups to show',
      metric: 'namedprocess_namegroup_num_procs',
      from: 'groupname',
    }),
  ],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        stat(
          'Processes',
          'Processes of the selected groups.',
          { processes: `sum(namedprocess_namegroup_num_procs${groups()})` },
          { decimals: 0, quiet: true, links: [{ panel: 'Processes by group' }] },
        ),
        stat(
          'Groups gone',
          'Selected groups that have no process left.',
          { gone: `count(namedprocess_namegroup_num_procs${groups()} == 0) or vector(0)` },
          { decimals: 0, thresholds: redFrom(1), links: [{ alert: 'ProcessGone' }] },
        ),
        stat(
          'Zombies',
          'Processes that have ended and whose parent has not taken note.',
          { zombies: `sum(namedprocess_namegroup_states${groups(', state="Zombie"')})` },
          { decimals: 0, thresholds: orangeFrom(11), links: [{ alert: 'ProcessZombies' }] },
        ),
        stat(
          'Blocked',
          'Processes that cannot be interrupted, since they wait for a disk.',
          { blocked: `sum(namedprocess_namegroup_states${groups(', state="Waiting"')})` },
          { decimals: 0, thresholds: orangeFrom(6), links: [{ alert: 'ProcessBlocked' }] },
        ),
      ],
    },
    {
      heading: 'CPU and memory',
      height: 9,
      panels: [
        graph(
          'CPU',
          'CPUs that each of the five busiest groups uses.',
          {
            '{{groupname}}': `sum by (groupname) (rate(${cpuSeconds}[$__rate_interval])) and topk(5, sum by (groupname) (rate(${cpuSeconds}[$__range] @ end())))`,
          },
          { softMax: 1 },
        ),
        graph(
          'Memory',
          'Resident memory of the five largest groups. What processes share counts for each of them.',
          {
            '{{groupname}}': largest(`namedprocess_namegroup_memory_bytes${groups(', memtype="resident"')}`),
          },
          { unit: 'bytes' },
        ),
        graph(
          'Swapped',
          'Memory of each group that is on disk.',
          { '{{groupname}}': `namedprocess_namegroup_memory_bytes${groups(', memtype="swapped"')} > 0` },
          { unit: 'bytes', noValue: 'Nothing swapped' },
        ),
      ],
    },
    {
      heading: 'Processes and threads',
      height: 9,
      panels: [
        graph('Processes by group', 'Processes of the five groups with the most.', {
          '{{groupname}}': largest(`namedprocess_namegroup_num_procs${groups()}`),
        }),
        graph('Threads', 'Threads of the five groups with the most.', {
          '{{groupname}}': largest(`namedprocess_namegroup_num_threads${groups()}`),
        }),
        graph(
          'Pages read from disk',
          'Times per second that a process waited for a page of its memory. Much: the host has too little memory.',
          {
            '{{groupname}}': `rate(${pageReads}[$__rate_interval]) and topk(5, rate(${pageReads}[$__range] @ end()) > 0)`,
          },
          { unit: 'suffix:/s', softMax: 1, noValue: 'None read' },
        ),
      ],
    },
  ],
};
