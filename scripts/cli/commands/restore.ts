import { resolve } from 'node:path';
import * as z from 'zod';
import { andList, counted } from '../../../stack/values/words.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { changedSchema, toJsonChanged } from '../json/change.ts';
import { printChanged } from '../print/change.ts';
import { readWait, waitOption } from './arguments.ts';
import { readPassphrase } from './backup.ts';
import { defineCommand } from './command.ts';
import { checkTarget } from './find-stack.ts';
import { renderAndConnect } from './stages.ts';

export const command = defineCommand({
  details:
    'Checks that the backup is whole, copies its data into the volumes of the stack of this folder, starts the stack, and ' +
    'compares samples, silences and groups with what the backup lists. The data of before is deleted only after that, and put ' +
    'back when anything fails. It asks before it replaces data.',
  examples: [
    { line: 'restore backups/shop-2026-11-29T04-34-05Z.tar', what: 'into the stack of this folder' },
    { line: 'restore shop.tar --name shop-copy', what: 'under another name, from the stack.yml of this folder' },
  ],
  syntax: (blank) =>
    blank
      .argument('<file>', 'a file that `promstack backup` wrote')
      .option('--name <stack>', 'restore under this name, not that in stack.yml')
      .option('--yes', 'do not ask for confirmation')
      .option('--with-secrets', 'also restore secrets, revisions and history')
      .option('--passphrase-file <file>', 'has the passphrase; default: the variable PROMSTACK_BACKUP_PASSPHRASE')
      .option(...waitOption),
  json: () =>
    changedSchema().extend({
      volumes: z.array(z.string()).describe('the volumes that have the data of the backup'),
      addedSilences: z.int().describe('silences that were added by their API'),
    }),
  run: async (context, { name, yes, withSecrets = false, passphraseFile, wait }, [file]) => {
    const waitMs = readWait(wait);
    await checkTarget(context);
    const passphrase = withSecrets ? await readPassphrase(context, passphraseFile) : undefined;
    const { readBackup } = await import('../../move/backup/read-backup.ts');
    const { findReplaced, restore } = await import('../../move/backup/restore.ts');
    const { env, report, clock, signal } = context;
    const backup = await readBackup(resolve(context.cwd, file), report);
    if (withSecrets && backup.secrets === undefined) {
      const hint = 'leave out --with-secrets; `promstack up` makes new ones where they are missing';
      throw new InputError([misuse(`--with-secrets: ${file} has no secrets`, hint)]);
    }
    const connected = await renderAndConnect(context, { name });
    await using engine = connected.engine;
    const { origin } = connected.rendering;
    // As with PROMSTACK_NAME, the stack of this file may run beside it under its own name.
    const isNameGiven = name !== undefined && origin !== undefined;
    const rendering = isNameGiven
      ? { ...connected.rendering, origin: { ...origin, isNameGiven } }
      : connected.rendering;
    const replaced = await findReplaced(engine, rendering.config.name, backup);
    if (replaced.volumes.length > 0 && yes !== true) {
      const question = `replace the data of ${andList(replaced.volumes, '')}${replaced.containers.length > 0 ? ', and restart the stack' : ''}?`;
      if (!(await context.confirm(question, '--yes'))) {
        context.report({ kind: 'note', text: 'nothing was changed' });
        return exitCodes.refused;
      }
    }
    const run = { engine, rendering, env, report, clock, signal, waitMs, takeOver: yes };
    const { changed, volumes, addedSilences } = await restore({ ...run, backup, passphrase });
    context.result({ ...toJsonChanged(changed), volumes: [...volumes], addedSilences });
    context.stdout.write(printChanged(changed));
    const { samples, silences = [], groups = [] } = backup.manifest;
    const found = [
      ...(samples === undefined ? [] : [`${samples.series} series`]),
      counted(silences.length, 'silence'),
      counted(groups.length, 'pushed group'),
    ];
    report({ kind: 'note', isResult: true, text: `restored the backup of ${backup.header.at}: ${andList(found, '')}` });
    return exitCodes.fine;
  },
});
