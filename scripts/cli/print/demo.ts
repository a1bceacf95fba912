import { adminUser } from '../../../stack/grafana/settings.ts';
import { findService } from '../../../stack/services.ts';
import type { RunningDemo } from '../demo/bring-up.ts';
import type { Delivery } from '../demo/deliveries.ts';
import type { Colours } from '../terminal-output.ts';

/** A notification as it arrives at the sink. */
export function printDelivery({ status, alertname, summary }: Delivery, colours: Colours): string {
  const mark = status === 'firing' ? colours.red('firing  ') : colours.green('resolved');
  return `  ${mark}  ${alertname}  ${summary}\n`;
}

interface DemoCommands {
  /** `promstack`, or how npm runs it in a checkout. */
  readonly promstack: string;
  /** The command that brings this demo up. */
  readonly demo: string;
}

/** How to sign in to Grafana, and what to try with the running demo. */
export function printGuide({ changed, leftOut, password }: RunningDemo, { promstack, demo }: DemoCommands): string {
  const url = (service: string): string | undefined => changed.urls.find((entry) => entry.service === service)?.url;
  const byName = `${promstack} -p ${changed.plan.stack}`;
  const steps: readonly (readonly [what: string, ...commands: string[]])[] = [
    ['state of every service', `${byName} status`],
    ['notifications that reached the sink', `${byName} logs sink`],
    ['route of an alert to its receivers', `${byName} alert test --label severity=critical`],
    ['test of the pipeline end to end', `${byName} verify`],
    [
      'a metric of your own',
      `echo "request_error_number 99" | curl --data-binary @- ${url('pushgateway')}/metrics/job/link_job`,
      `curl -s '${url('prometheus')}/api/v1/query?query=request_error_number'`,
    ],
    ['a stack of your own', `${promstack} init`],
    ['remove the demo and its data', `${demo} --down`],
  ];
  const signIn =
    password === undefined
      ? leftOut.flatMap(({ service, image }) => [
          `The demo runs without ${findService(service)?.title}: the image ${image} is not available on this machine.`,
          `  To add it, pull it or load it (${promstack} images load ARCHIVE), then run ${demo} again.`,
        ])
      : [
          'Sign in to Grafana',
          `  address   ${url('grafana')}/d/promstack-demo`,
          `  user      ${adminUser}`,
          `  password  ${password.reveal()}`,
          `  (${byName} password prints it again)`,
        ];
  const next = steps.flatMap(([what, ...commands]) => [`  ${what}`, ...commands.map((command) => `    ${command}`)]);
  return ['', ...signIn, '', 'Next steps', ...next, '', ''].join('\n');
}
