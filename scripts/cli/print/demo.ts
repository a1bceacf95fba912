import type { Changed } from '../../apply/change-stack.ts';
import type { Colours } from '../colours.ts';
import type { Delivery } from '../demo/deliveries.ts';

/** A notification that arrived at the sink, as a line. */
export function printDelivery({ status, alertname, summary }: Delivery, colours: Colours): string {
  const mark = status === 'firing' ? colours.red('firing  ') : colours.green('resolved');
  return `  ${mark}  ${alertname}  ${summary}\n`;
}

/** What to do with the demo now that it is there; `lines` are commands as they work from where the person stands. */
export function nextSteps(
  urls: Changed['urls'],
  leftOut: readonly { readonly service: string; readonly why: string }[],
  lines: { readonly init: string; readonly down: string },
): string {
  const url = (service: string): string | undefined => urls.find((one) => one.service === service)?.url;
  const gateway = url('pushgateway');
  const prometheus = url('prometheus');
  const open = urls
    .filter(({ service }) => service !== 'sink')
    .map((one) => `    ${one.service.padEnd(13)} ${one.url}`);
  const missing = leftOut.map(({ service }) => `  ${service} is not there: its image could not be had from here`);
  return [
    '',
    'next steps',
    '  look around',
    ...open,
    ...missing,
    '  push something of your own',
    `    echo "request_error_number 99" | curl --data-binary @- ${gateway}/metrics/job/link_job`,
    '  see it arrive',
    `    curl -s '${prometheus}/api/v1/query?query=request_error_number'`,
    `  begin your own stack                  ${lines.init}`,
    `  remove the demo with all its data     ${lines.down}`,
    '',
  ].join('\n');
}
