import * as z from 'zod';
import { defaultImages } from '../../values/default-images.ts';
import { defineExporter } from '../exporter.ts';

/** Where the container has the files of the host. */
const root = '/host';

/**
 * Collectors that would describe the container: its network is not the host's. Links of the host, which its /sys shows, remain
 * in the collector netclass.
 */
const ofNetwork = ['arp', 'conntrack', 'ipvs', 'netdev', 'netstat', 'sockstat', 'softnet', 'udp_queues'];

/** Mount points that hold no data of the host: of the kernel, of containers, of sessions. */
const noDisks = '^/(dev|proc|run|sys|var/lib/(docker|containerd|containers|kubelet)/.+)($|/)';

export const node = defineExporter({
  kind: 'node',
  title: 'node_exporter',
  description: "CPU, memory, disks and file systems of the engine's host; it reads the host's files",
  defaultImage: defaultImages.node,
  debian: {
    package: 'prometheus-node-exporter',
    program: 'usr/bin/prometheus-node-exporter',
    entrypoint: 'bin/node_exporter',
  },
  port: 9100,
  hasWebConfig: true,
  host: { mounts: [{ source: '/', target: root }], pid: true },
  keys: {
    collectors: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: 'Collectors to enable in addition to those that are on by default' }),
  },
  args: ({ collectors }) => [
    `--path.rootfs=${root}`,
    `--path.procfs=${root}/proc`,
    `--path.sysfs=${root}/sys`,
    `--path.udev.data=${root}/run/udev/data`,
    `--collector.filesystem.mount-points-exclude=${noDisks}`,
    ...ofNetwork.filter((name) => !collectors.includes(name)).map((name) => `--no-collector.${name}`),
    ...collectors.map((name) => `--collector.${name}`),
    '--web.listen-address=:9100',
  ],
});
