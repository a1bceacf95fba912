import { rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { stackNameProblems } from '../../../stack/problems.ts';
import { andList, counted } from '../../../stack/values/words.ts';
import { ensureImages } from '../../engine/images/ensure.ts';
import { resolvedImages } from '../../engine/images/outcome.ts';
import { type Adoption, adopt, checkAdoption, checkServices, noData, parseAdoption } from '../../move/adopt.ts';
import { type Finding, reportText } from '../../move/findings.ts';
import { importStack } from '../../move/import-stack.ts';
import type { StackDraft } from '../../move/stack-draft.ts';
import { type TriedImport, tryImport, writeImport } from '../../move/try-import.ts';
import { toDesired } from '../../plan/desired.ts';
import { takeLock } from '../../state/lock.ts';
import { displayPath } from '../../util/display-path.ts';
import { makeFolder } from '../../util/make-folder.ts';
import { misuse } from '../../util/misuse.ts';
import { pathExists } from '../../util/path-exists.ts';
import { redact } from '../../util/redaction.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { writeFailure } from '../../util/write-failure.ts';
import { type Context, exitCodes } from '../context.ts';
import { checkWithEngine, UsedTools } from './check.ts';
import { defineCommand } from './command.ts';
import { connectEngine, readStackName } from './find-stack.ts';
import { renderAndConnect } from './stages.ts';

export const command = defineCommand({
  details:
    'Reads prometheus.yml, rule files, alertmanager.yml, compose.yaml, and the provisioning and dashboards of Grafana, and writes ' +
    'a stack.yml that does the same, with copies of the files beside it. Passwords, tokens and webhook URLs go into files in ' +
    'secrets/. What is written is checked first; where a part is not valid, nothing is written without --partial. Never ' +
    'overwrites a file.',
  examples: [
    {
      line: 'import ../dockprom --out monitoring',
      what: 'write monitoring/stack.yml from the files of a compose project',
    },
    {
      line: 'import prometheus.yml alertmanager.yml --report import.md',
      what: 'write stack.yml here, and what became of each key',
    },
  ],
  syntax: (command) =>
    command
      .argument('[path...]', 'files and folders to read; none with --adopt copies data of a stack that is imported')
      .option('--out <folder>', 'folder to write to (default: current folder)')
      .option('--name <name>', 'name of the stack (default: name of the compose project or of the folder)')
      .option('--report <file>', 'write what was taken, changed and left, key by key, to a Markdown file')
      .option('--partial', 'leave out what is not valid, and write the rest')
      .option(
        '--adopt <volume=service...>',
        'copy an existing data volume to that of a service, before its first start',
      ),
  json: () =>
    z.strictObject({
      files: z.array(z.string()).describe('paths of the new files'),
      secrets: z.array(z.strictObject({ file: z.string(), what: z.string() })).describe('files of secrets, mode 0600'),
      findings: z.array(
        z.strictObject({
          fate: z.enum(['taken', 'changed', 'left']),
          what: z.string().describe('the key or the file'),
          file: z.string().optional(),
          line: z.int().optional(),
          into: z.string().optional().describe('the key of stack.yml or the file that has it'),
          why: z.string().optional(),
        }),
      ),
      nextSteps: z.array(z.string()),
      adopted: z.array(z.strictObject({ volume: z.string(), as: z.string() })).describe('copied volumes'),
    }),
  run: async (context, { out, name, report, partial, adopt: adoptions = [] }, [paths]) => {
    const { cwd, env } = context;
    if (name !== undefined) {
      const problems = stackNameProblems(await readStackName(name), []);
      if (problems.length > 0)
        throw new InputError(problems.map(({ message }) => misuse(`--name ${name}: ${message}`)));
    }
    const folder = resolve(cwd, out ?? '.');
    const volumes = adoptions.map(parseAdoption);
    checkServices(volumes);
    if (paths.length === 0) {
      if (volumes.length === 0) throw new InputError([misuse('there is nothing to import', 'name files or folders')]);
      // Without --out it is any stack of the user's, which -f names as for other commands.
      const adopted = await adoptVolumes(out === undefined ? context : inFolder(context, folder), volumes);
      context.result({ files: [], secrets: [], findings: [], nextSteps: [], adopted });
      return exitCodes.fine;
    }
    const reportFile = report === undefined ? undefined : resolve(cwd, report);
    if (reportFile !== undefined && (await pathExists(reportFile).catch(() => false))) {
      throw new InputError([misuse(`${report} already exists`, 'name another file with --report')]);
    }
    const draft = await importStack({ paths: paths.map((path) => resolve(cwd, path)), cwd, env, name, out: folder });
    const isPartial = partial === true;
    refuse(draft.findings.problems, isPartial);
    const header = [`From ${andList(paths, '')} by promstack import.`];
    await using tried = await tryImport(draft, { header, env, isPartial });
    const problems = await checked(context, tried, draft);
    refuse(problems, isPartial);
    await refuseVolumes(context, tried, volumes);
    const all = [...draft.findings.problems, ...problems.filter(({ severity }) => severity !== 'note')];
    if (reportFile !== undefined) {
      await writeReport(reportFile, reportText(draft.findings.all, all, draft.secrets, draft.nextSteps));
    }
    const files = await writeImport(folder, draft, tried.text, cwd).catch(async (error: unknown) => {
      if (reportFile !== undefined) await rm(reportFile, { force: true });
      throw error;
    });
    for (const diagnostic of all) context.report({ kind: 'diagnostic', diagnostic, isResult: true });
    context.nameStack(draft.name);
    print(context, draft, files, report, volumes);
    const adopted = volumes.length === 0 ? [] : await adoptVolumes(inFolder(context, folder), volumes);
    context.result({
      adopted,
      files: [...files],
      secrets: draft.secrets.map(({ file, what }) => ({ file, what })),
      findings: draft.findings.all.map(toJson),
      nextSteps: draft.nextSteps,
    });
    return all.some(({ severity }) => severity === 'error') ? exitCodes.refused : exitCodes.fine;
  },
});

/** Writes the report first, since nothing is imported without it. */
async function writeReport(file: string, text: string): Promise<void> {
  try {
    await makeFolder(dirname(file));
    await writeFile(file, redact(text), { flag: 'wx' });
  } catch (cause) {
    throw new StackError({ doing: `writing the report ${file}`, ...(await writeFailure(cause, file)), cause });
  }
}

/** Refuses volumes that could not be copied, before anything is written. */
async function refuseVolumes(
  context: Context,
  { rendering }: TriedImport,
  adoptions: readonly Adoption[],
): Promise<void> {
  if (adoptions.length === 0) return;
  await using engine = await connectEngine(context);
  for (const adoption of adoptions) {
    const specs = rendering?.services.map(({ container }) => container) ?? [];
    const spec = specs.find(({ service }) => service === adoption.service);
    if (spec?.mounts.some(({ kind }) => kind === 'data') !== true) throw noData(adoption, specs);
    await checkAdoption(engine, adoption, spec.image);
  }
}

/** The new stack in a folder. */
const inFolder = (context: Context, cwd: string): Context => ({ ...context, cwd, file: [] });

/** Copies volumes to those of a stack. */
async function adoptVolumes(context: Context, adoptions: readonly Adoption[]) {
  const { report, clock, signal } = context;
  const { rendering, engine: connected } = await renderAndConnect(context);
  await using engine = connected;
  const { config } = rendering;
  const stack = config.name;
  await using _lock = await takeLock({ engine, stack, command: 'import', report, clock, signal });
  const required = rendering.services
    .filter(({ service }) => adoptions.some((adoption) => adoption.service === service.name))
    .map(({ container }) => ({ service: container.service, reference: container.image }));
  const outcomes = await ensureImages(engine, required, config.images, report, signal);
  const desired = toDesired(rendering, resolvedImages(outcomes).imageOf);
  const adopted: { volume: string; as: string }[] = [];
  await adopt(engine, desired, adoptions, {
    signal,
    onCopied: ({ volume }, as) => {
      adopted.push({ volume, as });
      report({ kind: 'note', isResult: true, text: `copied the volume ${volume} to ${as}` });
    },
  });
  return adopted;
}

const toJson = ({ fate, what, where, into, why }: Finding) => {
  return { fate, what, file: where?.file, line: where?.line, into, why };
};

/** Without --partial a mistake ends the import before anything is written. */
function refuse(problems: readonly Diagnostic[], isPartial: boolean): void {
  if (isPartial || !problems.some(({ severity }) => severity === 'error')) return;
  throw new InputError(problems.filter(({ severity }) => severity !== 'note'));
}

/** What promstack, promtool and amtool say of the new stack, at the places in the input. */
async function checked(context: Context, tried: TriedImport, draft: StackDraft): Promise<readonly Diagnostic[]> {
  const { rendering, diagnostics, text } = tried;
  if (rendering === undefined || diagnostics.some(({ severity }) => severity === 'error')) return diagnostics;
  const byTools = await checkWithEngine(context, rendering, new UsedTools());
  return [...diagnostics, ...byTools.map((diagnostic) => draft.atOrigin(diagnostic, text))];
}

function print(
  { stdout, report, cwd }: Context,
  draft: StackDraft,
  files: readonly string[],
  reportFile: string | undefined,
  adopted: readonly Adoption[],
): void {
  const { findings, secrets, nextSteps } = draft;
  const count = (fate: Finding['fate']): number => findings.all.filter((finding) => finding.fate === fate).length;
  for (const { where, what, why } of findings.all.filter(({ fate }) => fate === 'left')) {
    const place = where === undefined ? '' : `${where.file}:${where.line}: `;
    stdout.write(`left: ${place}${what}: ${why}\n`);
  }
  for (const { file, what } of secrets) stdout.write(`secret: ${file} has ${what}\n`);
  const isDone = (step: string): boolean =>
    adopted.some(({ volume, service }) => step.includes(`${volume}=${service}`));
  for (const step of nextSteps.filter((step) => !isDone(step))) stdout.write(`next: ${step}\n`);
  const [main] = files;
  const rest = reportFile === undefined ? '; --report FILE lists each key' : `; ${reportFile} lists each key`;
  const text = `wrote ${main === undefined ? '' : displayPath(main, cwd)} and ${counted(files.length - 1, 'file')}: ${count('taken')} taken, ${count('changed')} changed, ${count('left')} left${rest}`;
  report({ kind: 'note', isResult: true, text });
}
