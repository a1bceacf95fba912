import * as z from 'zod';
import type { KeyPath, Problem } from '../../diagnostic.ts';
import { configDir } from '../../values/container.ts';
import { defaultImages } from '../../values/default-images.ts';
import { type Mapping, misspelledKeys } from '../../values/mapping.ts';
import { native } from '../../values/schemas.ts';
import { orList } from '../../values/words.ts';
import { defineExporter } from '../exporter.ts';

const port = 9256;
const mainFile = 'process.yml';
const selectors = ['comm', 'exe', 'cmdline'];
const groupKeys = ['name', ...selectors];

/** Every program that has a command line, which threads of the kernel have not, by its name. */
export const byProgram = [{ name: '{{.Comm}}', cmdline: ['.+'] }];

export const processes = defineExporter({
  kind: 'process',
  title: 'process-exporter',
  description: "Groups of processes of the engine's host: CPU, memory, threads; it sees all processes of the host",
  defaultImage: defaultImages.process,
  debian: {
    package: 'prometheus-process-exporter',
    program: 'usr/bin/prometheus-process-exporter',
    entrypoint: 'bin/process-exporter',
  },
  port,
  hasWebConfig: true,
  hasTemplates: true,
  host: { mounts: [], pid: true },
  keys: {
    names: z.array(native).default([]).meta({
      description: "Groups of processes, in process-exporter's syntax; without it each program is a group",
    }),
  },
  args: ({ names }) => [
    `-config.path=${configDir}/${mainFile}`,
    // It may read them only for its own processes.
    '-gather-smaps=false',
    '-threads=false',
    // A program that ran once is no group that should have processes; a named group is.
    ...(names.length === 0 ? ['-remove-empty-groups'] : []),
    `-web.listen-address=:${port}`,
  ],
  placeholders: ({ names }) => ({ names: names.length === 0 ? byProgram : names }),
  problems: ({ names }, path) => names.flatMap((group, at) => groupProblems(group, [...path, 'names', at])),
});

function groupProblems(group: Mapping, path: KeyPath): readonly Problem[] {
  const unknown = misspelledKeys(group, groupKeys, path);
  if (unknown.length > 0 || selectors.some((key) => Array.isArray(group[key]))) return unknown;
  const message = 'the group selects no processes';
  const hint = `add a list of ${orList(selectors)}, such as "comm: [nginx]"`;
  return [{ code: 'missing-key', path, message, hint }];
}
