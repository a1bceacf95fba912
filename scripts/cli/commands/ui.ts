import * as z from 'zod';
import { servePage } from '../../ui/serve-page.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { hintByName } from '../globals.ts';
import { timeSchema } from '../json/schema.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackOrThrow } from './find-stack.ts';
import { openerFor, openUrl } from './open.ts';
import { renderOrThrow, renderToLook } from './stages.ts';

export const command = defineCommand({
  details:
    'Serves one page on this computer that shows the pipeline live: what is pushed and scraped, which alerts fire and why they are ' +
    'muted, who was notified, which revisions and edits came, and what is wrong with what to try. It looks about once a second, ' +
    'and only while the page is open. Only the URL that it prints leads to the page, and the page can change nothing unless ' +
    '--allow-changes is given.',
  examples: [
    { line: 'ui', what: 'open the page of the stack here' },
    { line: 'ui -p promstack-demo', what: 'of a running stack by its name' },
    { line: 'ui --port 8099 --no-open', what: 'on a fixed port; print the URL only' },
    { line: 'ui --allow-changes', what: 'with buttons to silence, delete groups, reload, roll back and verify' },
  ],
  syntax: (blank) =>
    blank
      .option('--port <port>', 'port of the page on 127.0.0.1 (default: a free one)')
      .option('--no-open', 'only print the URL')
      .option('--allow-changes', 'let the page change the stack; it asks before each change'),
  json: () => z.strictObject({}),
  jsonLine: () => z.strictObject({ kind: z.literal('listening'), time: timeSchema(), url: z.string() }),
  run: async (context, { port, open, allowChanges }) => {
    const { clock, env, report, signal, stackName, stdout } = context;
    const number = readPort(port);
    const { config, origin } = await stackOrThrow(context);
    await using engine = await connectEngine(context);
    // What is wrong is on the page, and not once more here every few seconds.
    const quiet = { ...context, report: () => undefined };
    const isNamed = stackName !== undefined;
    await servePage({
      ...{ engine, stack: config.name, config, clock, signal, env, report, port: number },
      origin: isNamed ? undefined : origin,
      file: isNamed ? undefined : (context.file[0] ?? 'stack.yml'),
      mayChange: allowChanges === true,
      render: () => renderToLook(quiet, Promise.resolve(engine), { compare: true }),
      renderWhole: isNamed ? undefined : () => renderOrThrow(quiet, { connecting: Promise.resolve(engine) }),
      toHint: (tryThis) => hintByName(tryThis, stackName),
      onListening: ({ url, urlOnce }) => {
        context.line({ kind: 'listening', time: new Date(clock.now()).toISOString(), url });
        stdout.write(`${url}\n`);
        const opener = open ? openerFor(process.platform, env) : undefined;
        // Other users of this computer can read the arguments of the browser.
        if (opener !== undefined) void openUrl(opener, urlOnce);
        report({ kind: 'note', text: 'the page is live until Ctrl-C; its URL is a key: do not share it' });
      },
    });
    return exitCodes.fine;
  },
});

function readPort(text: string | undefined): number {
  if (text === undefined) return 0;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InputError([misuse(`--port ${text} is not a port`, 'use a number from 0 to 65535')]);
}
