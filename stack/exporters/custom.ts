import * as z from 'zod';
import type { ContainerSpec } from '../model.ts';
import { Secret } from '../secret.ts';
import { configDir } from '../values/container.ts';
import { enabled, extraArgs, formed, image, resources, textOrSecret } from '../values/schemas.ts';
import { expects, quoted } from '../values/words.ts';
import { type Exporter, plainExporter, plainJob } from './exporter.ts';
import { jobSettings, settingsOf } from './page.ts';

const portExpected = expects('a port (a whole number from 1 to 65535)');

const secretHint = `write it into a file, as "files: {token: !env NAME}", and let the exporter read ${configDir}/token`;

/** The keys of one exporter below `exporters.custom`. */
const customExporterConfig = z.strictObject({
  enabled: enabled(true),
  image: image.meta({
    description: 'The image, with a tag or digest',
    hint: 'name the image of the exporter, such as "image: registry.example.com/queue-exporter:1.4.2"',
  }),
  port: z.int({ error: portExpected }).min(1, { error: portExpected }).max(65535, { error: portExpected }).meta({
    description: 'The port in its container at which it serves its metrics',
    hint: 'name the port in its container at which it serves its metrics, such as "port: 9999"',
  }),
  user: formed(/^\d+:\d+$/, 'a user and a group by number, such as 65534:65534')
    .default('65534:65534')
    .meta({ description: 'The user it runs as, as uid:gid' }),
  args: extraArgs.meta({ description: 'Its arguments', secretHint }),
  env: z
    .record(formed(/^[^\s=]+$/, 'the name of a variable, without = and blanks'), z.string())
    .default({})
    .meta({ description: 'Its environment; secrets go into files', secretHint }),
  files: z
    .record(formed(/^(?!.*\.\.)[\w.-]+(?:\/[\w.-]+)*$/, 'a file name, such as config.yml'), textOrSecret)
    .default({})
    .meta({ description: `Its files, by their names in ${configDir}: strings, \`!env\` or \`!file\`` }),
  scrape: jobSettings,
  resources,
});

type CustomConfig = z.output<typeof customExporterConfig>;

/** The `exporters.custom` section of stack.yml. */
export const customConfig = z
  .record(
    formed(/^[a-z0-9][a-z0-9-]{0,30}$/, 'a name of at most 31 lowercase letters, digits and -'),
    customExporterConfig,
  )
  .optional()
  .meta({ description: 'Exporters of any image, by name: image, port, args, env, files and scrape' });

/** The exporter with a name below `exporters.custom`. */
export function customExporter(name: string, own: CustomConfig): Exporter {
  return {
    ...plainExporter,
    kind: name,
    title: name,
    schema: customExporterConfig,
    hasInstances: false,
    isCustom: true,
    defaultImage: own.image,
    user: own.user,
    port: own.port,
    readyPath: own.scrape.metrics_path,
    args: () => own.args,
    env: () => own.env,
    files: () =>
      Object.entries(own.files).map(([path, content]) => ({
        path,
        content,
        ...(content instanceof Secret ? { secrets: [content] } : {}),
      })),
    jobs: (instances) => [plainJob(name, instances, settingsOf(own.scrape))],
    problems: (_own, path) => {
      const names = Object.keys(own.files);
      return names
        .filter((file) => names.some((further) => further.startsWith(`${file}/`)))
        .map((file) => ({
          code: 'file-and-folder',
          path: [...path, 'files', file],
          atKey: true,
          message: `${quoted(file)} is a file, and another file is in a folder of that name`,
          hint: 'rename one of them',
        }));
    },
  };
}

/** The exporter of a container, without its stack.yml. */
export function customExporterOf({ service, image, user, ready }: ContainerSpec): Exporter | undefined {
  if (ready === undefined) return undefined;
  const { port, path } = ready;
  const own = customExporterConfig.parse({ image: 'unknown:unknown', port, user, scrape: { metrics_path: path } });
  return customExporter(service, { ...own, image });
}
