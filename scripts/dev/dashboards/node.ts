import type { DashboardPlan } from './dashboard.ts';
import { graph, stat } from './panels.ts';
import { table } from './table.ts';
import { orangeFrom, orangeThenRed, redFrom } from './thresholds.ts';

const job = 'job="node"';
/** Images and snaps are always full. */
const disks = `${job}, fstype!~"iso9660|squashfs|erofs"`;
const used = `1 - node_filesystem_avail_bytes{${disks}} / (node_filesystem_size_bytes > 0)`;
const busy = `1 - avg(rate(node_cpu_seconds_total{${job}, mode="idle"}[$__rate_interval]))`;

/** CPU, memory, file systems and disks of the engine's host. */
export const node: DashboardPlan = {
  uid: 'promstack-node',
  title: 'Host',
  description: "CPU, memory, file systems and disks of the engine's host.",
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        stat(
          'CPU',
          'CPU time in use, of all CPUs. Orange from 95%.',
          { cpu: busy },
          { unit: 'percentunit', decimals: 0, thresholds: orangeFrom(0.95), links: [{ panel: 'CPU by mode' }] },
        ),
        stat(
          'Memory',
          'Memory that is not available to programs. Orange from 92%.',
          { memory: `1 - node_memory_MemAvailable_bytes{${job}} / node_memory_MemTotal_bytes` },
          { unit: 'percentunit', decimals: 0, thresholds: orangeFrom(0.92), links: [{ panel: 'Memory by use' }] },
        ),
        stat(
          'Disk',
          'Used space of the file system that is fullest. Orange from 90%, red from 97%: see the table.',
          { disk: `max(${used} and node_filesystem_readonly == 0)` },
          {
            unit: 'percentunit',
            decimals: 0,
            thresholds: orangeThenRed(0.9, 0.97),
            links: [{ panel: 'File systems' }],
          },
        ),
        stat(
          'OOM kills',
          'Processes that the kernel killed in the last hour, because there was no memory left.',
          { kills: `increase(node_vmstat_oom_kill{${job}}[1h])` },
          { decimals: 0, thresholds: redFrom(0.5), links: [{ alert: 'NodeOomKill' }] },
        ),
      ],
    },
    {
      heading: 'CPU and memory',
      height: 9,
      panels: [
        graph(
          'CPU by mode',
          'Share of all CPU time. Much iowait: the disks are slow. Much steal: the machine below is busy.',
          {
            '{{mode}}': `avg by (mode) (rate(node_cpu_seconds_total{${job}, mode=~"user|system|iowait|steal"}[$__rate_interval]))`,
          },
          { unit: 'percentunit', stacked: true },
        ),
        graph(
          'Memory by use',
          'Programs and caches. The kernel frees caches when programs need the memory.',
          {
            programs: `node_memory_MemTotal_bytes{${job}} - node_memory_MemAvailable_bytes`,
            caches: `node_memory_MemAvailable_bytes{${job}} - node_memory_MemFree_bytes`,
          },
          { unit: 'bytes', stacked: true },
        ),
        graph(
          'Load per CPU',
          'Processes that run or wait, per CPU, over 5 minutes. Above 1 they wait.',
          {
            load: `node_load5{${job}} / on (job, instance) count by (job, instance) (node_cpu_seconds_total{mode="idle"})`,
          },
          { softMax: 1 },
        ),
      ],
    },
    {
      heading: 'File systems and disks',
      height: 9,
      panels: [
        table(
          'File systems',
          'Used space and used inodes. A full file system makes programs fail that write to it.',
          [used, `1 - node_filesystem_files_free{${disks}} / (node_filesystem_files > 0)`],
          [
            { from: 'mountpoint', title: 'Mount point' },
            { from: 'Value #A', title: 'Space', unit: 'percentunit', width: 90, thresholds: orangeThenRed(0.9, 0.97) },
            { from: 'Value #B', title: 'Inodes', unit: 'percentunit', width: 90, thresholds: orangeFrom(0.9) },
          ],
          { sortBy: { column: 'Space', descending: true } },
        ),
        graph(
          'Disk reads',
          'Bytes read per second, by disk.',
          { '{{device}}': `rate(node_disk_read_bytes_total{${job}}[$__rate_interval])` },
          { unit: 'Bps', softMax: 1 },
        ),
        graph(
          'Disk writes',
          'Bytes written per second, by disk.',
          { '{{device}}': `rate(node_disk_written_bytes_total{${job}}[$__rate_interval])` },
          { unit: 'Bps', softMax: 1 },
        ),
      ],
    },
    {
      height: 8,
      panels: [
        graph(
          'Disk utilisation',
          'Share of the time that a disk had something to do. A disk at 100% may still take more in parallel.',
          { '{{device}}': `rate(node_disk_io_time_seconds_total{${job}}[$__rate_interval])` },
          { unit: 'percentunit', softMax: 1 },
        ),
        graph(
          'Open files / limit',
          'File handles of all processes, of those that the kernel allows.',
          { 'open files': `node_filefd_allocated{${job}} / node_filefd_maximum` },
          { unit: 'percentunit', softMax: 1, thresholds: redFrom(0.9) },
        ),
      ],
    },
  ],
};
