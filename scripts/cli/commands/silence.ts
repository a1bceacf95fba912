import * as z from 'zod';
import { formatMatcher } from '../../../stack/alertmanager/matcher.ts';
import { ago } from '../../../stack/values/units.ts';
import { counted } from '../../../stack/values/words.ts';
import { AlertmanagerClient, type Silence } from '../../servers/alertmanager.ts';
import { openServers } from '../../servers/servers.ts';
import { readMatchers, readSilenceMatchers } from '../../servers/silence-matchers.ts';
import { durationText } from '../../util/duration-text.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { userAtHost } from '../../util/user.ts';
import { type Context, exitCodes } from '../context.ts';
import { labelsSchema, silenceSchema, toJsonSilence } from '../json/alertmanager.ts';
import { timeSchema } from '../json/schema.ts';
import { table } from '../print/table.ts';
import { readDuration, requireAlertmanager } from './arguments.ts';
import { defineCommand } from './command.ts';
import { configOrThrow, connectEngine } from './find-stack.ts';

const add = defineCommand({
  details:
    'Silences every alert that matches all matchers, from now on. Prints the ID of the silence. As with amtool, a ' +
    'first word without an operator is an alert name.',
  examples: [
    {
      line: 'silence add alertname=DiskFull instance=~"db.*" --duration 2h --comment "moving disks"',
      what: 'silence two matching labels for two hours',
    },
    { line: 'silence add DiskFull --comment "known"', what: 'silence an alert by its name for one hour' },
  ],
  syntax: (blank) =>
    blank
      .argument('<matcher...>', 'matcher of alerts: name=value, with =, !=, =~ or !~')
      .requiredOption('-c, --comment <text>', 'reason')
      .option('-d, --duration <duration>', 'duration of the silence', '1h')
      .option('-a, --author <name>', 'author (default: user@host, as in `history`)'),
  json: () =>
    z.strictObject({
      id: z.string(),
      endsAt: timeSchema(),
      silencedAlerts: z.array(z.strictObject({ labels: labelsSchema() })).describe('active alerts that it matches'),
    }),
  run: async (context, { comment, duration, author }, [words]) => {
    const matchers = readSilenceMatchers(words);
    if (comment.trim() === '') throw new InputError([misuse('--comment is empty', 'give a reason')]);
    const durationMs = readDuration('--duration', duration);
    const now = context.clock.now();
    return withAlertmanager(context, async (client) => {
      const id = await client.addSilence({
        matchers,
        startsAt: new Date(now).toISOString(),
        endsAt: new Date(now + durationMs).toISOString(),
        createdBy: author ?? userAtHost(),
        comment,
      });
      const silencedAlerts = (await client.alerts(matchers)).map(({ labels }) => ({ labels }));
      const endsAt = new Date(now + durationMs).toISOString();
      context.result({ id, endsAt, silencedAlerts });
      context.stdout.write(`${id}\n`);
      const count = silencedAlerts.length === 0 ? 'no alert' : counted(silencedAlerts.length, 'alert');
      context.report({ kind: 'note', isResult: true, text: `silences ${count} active now, until ${endsAt}` });
    });
  },
});

const list = defineCommand({
  details: 'Lists active and pending silences, or only those with all the given matchers.',
  examples: [
    { line: 'silence list', what: 'all active silences' },
    { line: 'silence list alertname=DiskFull --expired', what: 'silences of one alert, expired ones included' },
  ],
  syntax: (blank) =>
    blank
      .argument('[matcher...]', 'only silences with these matchers')
      .option('--expired', 'include expired silences; Alertmanager keeps them for five days'),
  json: () => z.strictObject({ silences: z.array(silenceSchema()) }),
  run: async (context, { expired }, [words]) => {
    const matchers = readMatchers(words);
    return withAlertmanager(context, async (client) => {
      const shown = (await client.silences(matchers))
        .filter(({ status }) => expired === true || status.state !== 'expired')
        .toSorted((a, b) => Date.parse(a.endsAt) - Date.parse(b.endsAt));
      context.result({ silences: shown.map(toJsonSilence) });
      if (shown.length === 0) {
        context.report({ kind: 'note', isResult: true, text: 'no silences found' });
      } else {
        const { dim } = context.stdout.colours;
        const rows = shown.map((silence) => cells(silence, context.clock.now()));
        context.stdout.write(
          table([['ID', 'MATCHERS', 'ENDS', 'BY', 'COMMENT'].map(dim), ...rows], { columns: context.stdout.columns() }),
        );
      }
    });
  },
});

const expire = defineCommand({
  details: 'Expires silences now: alerts they suppressed notify their receivers again.',
  examples: [{ line: 'silence expire 4d1c8a7e-6b7f-4d0e-9a53-0d0c3d7e2f10', what: 'expire one silence' }],
  syntax: (blank) => blank.argument('<id...>', 'IDs of silences, as shown by silence list'),
  json: () => z.strictObject({ expired: z.array(z.string()).describe('IDs; without those that had already expired') }),
  run: async (context, _, [ids]) =>
    withAlertmanager(context, async (client) => {
      const all = await client.silences();
      const unknown = ids.filter((id) => !all.some((silence) => silence.id === id));
      if (unknown.length > 0) {
        throw new StackError({
          doing: 'expiring silences',
          why: `no silence has the ID ${unknown.join(' or ')}; nothing was changed`,
          tryThis: 'promstack silence list',
        });
      }
      const inForce = all.filter(({ id, status }) => ids.includes(id) && status.state !== 'expired');
      for (const { id } of inForce) await client.expireSilence(id);
      const expired = inForce.map(({ id }) => id);
      context.result({ expired });
      for (const id of ids) {
        const text = expired.includes(id) ? `expired ${id}` : `${id} had already expired`;
        context.report({ kind: 'note', isResult: true, text });
      }
    }),
});

export const command = defineCommand({
  details:
    'Manages silences of the running Alertmanager, with the syntax of amtool. A silence suppresses notifications; ' +
    'the alerts keep firing.',
  subcommands: [
    { name: 'add', summary: 'silence matching alerts', command: add },
    { name: 'list', summary: 'list silences', command: list },
    { name: 'expire', summary: 'expire silences now', command: expire },
  ],
});

async function withAlertmanager(context: Context, work: (client: AlertmanagerClient) => Promise<void>) {
  const config = await configOrThrow(context);
  requireAlertmanager(config);
  await using engine = await connectEngine(context);
  const servers = await openServers(engine, config, context.signal);
  try {
    await work(new AlertmanagerClient(servers));
    return exitCodes.fine;
  } finally {
    servers.close();
  }
}

function cells({ id, status, matchers, endsAt, createdBy, comment }: Silence, now: number): readonly string[] {
  const end = Date.parse(endsAt);
  const ends = end <= now ? ago(end, now) : `in ${durationText(end - now)}`;
  const words = matchers.map(formatMatcher).join(' ');
  return [id, words, status.state === 'pending' ? `${ends} (pending)` : ends, createdBy, comment];
}
