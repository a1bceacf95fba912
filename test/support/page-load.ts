import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

// A program of a test: `ask COUNT URL…` asks for the URLs, COUNT at a time and each on a connection of its own, until its input ends,
// and prints how often each status was answered; `answer TEXT` answers every request with the text, and prints its URL.

const [command, first = '', ...urls] = process.argv.slice(2);

if (command === 'ask') {
  const statuses = new Map<number, number>();
  let isOver = false;
  process.stdin.on('end', () => {
    isOver = true;
  });
  process.stdin.resume();
  const asking = Array.from({ length: Number(first) }, async (_, worker) => {
    for (let at = worker; !isOver; at += 1) {
      const [response] = (await once(get(urls[at % urls.length] ?? '', { agent: false }), 'response')) as [
        IncomingMessage,
      ];
      await response.toArray();
      const { statusCode = 0 } = response;
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    }
  });
  await Promise.all(asking);
  process.stdout.write(`${JSON.stringify(Object.fromEntries(statuses))}\n`);
  process.exit();
} else {
  const server = createServer((_, response) => response.end(first));
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/\n`);
  });
}
