import type { StackConfig } from '../config.ts';
import type { CheckFinding, ContainerSpec, RenderedFile } from '../model.ts';
import { isDistroless } from '../values/busybox.ts';
import type { Mapping } from '../values/mapping.ts';
import { readMainFile } from './main-file.ts';

/** The file in the data volume that Alertmanager records alerts and notifications in. */
export const alertLogPath = '/alertmanager/alert-log.jsonl';

/** Its value of `--enable-feature`. */
export const recorderFeature = 'event-recorder';

/** The first version that has the event recorder. */
const firstMinor = 33;

/** Whether an image has the event recorder, by the version in its tag; undefined when its tag has none. */
function hasRecorder(image: string): boolean | undefined {
  const [, major, minor] = /:v?(\d+)\.(\d+)/.exec(image) ?? [];
  return major === undefined ? undefined : Number(major) > 0 || Number(minor) >= firstMinor;
}

/** Whether Alertmanager records what `promstack alert log` shows. */
export function recordsAlerts({ alertmanager: { alert_log, image } }: StackConfig): boolean {
  return alert_log ?? isRecordedBy(image);
}

/** By default only where the file can be rotated. */
const isRecordedBy = (image: string): boolean => hasRecorder(image) === true && !isDistroless(image);

/** The config for an image that runs in place of the one it names, such as an older one from packages. */
export function withRecorderOf(config: StackConfig, image: string): StackConfig {
  const { alertmanager } = config;
  const alert_log = isRecordedBy(image);
  if (alertmanager.alert_log !== undefined || alert_log === recordsAlerts(config)) return config;
  return { ...config, alertmanager: { ...alertmanager, alert_log } };
}

/** Why a container does not run these files: a version without the event recorder refuses a config that has one. */
export function recorderMissingIn(files: readonly RenderedFile[], { image }: ContainerSpec): string | undefined {
  if (hasRecorder(image) !== false || readMainFile(files)?.['event_recorder'] === undefined) return undefined;
  return `its files record alerts, which needs Alertmanager 0.${firstMinor} or newer, and ${image} runs`;
}

/** The user's `event_recorder`, or the one for `promstack alert log`. */
export function eventRecorder(config: StackConfig): Mapping | undefined {
  const own = config.alertmanager.event_recorder;
  if (own !== undefined || !recordsAlerts(config)) return own;
  return { file_outputs: [{ path: alertLogPath }] };
}

/** The error of an Alertmanager, or of an amtool, that has no event recorder. */
export function explainMissingRecorder({ alertmanager }: StackConfig, finding: CheckFinding): CheckFinding {
  if (alertmanager.event_recorder !== undefined || !/^field event_recorder not found/.test(finding.message))
    return finding;
  if (alertmanager.alert_log === true) {
    const message = `this version of Alertmanager cannot record alerts: that needs 0.${firstMinor} or newer`;
    return { message, key: ['alertmanager', 'alert_log'], hint: 'remove it, or use a newer image' };
  }
  // The image of the stack has it.
  return { message: 'this amtool is older than the Alertmanager of the stack', isReportedElsewhere: true };
}

/** The file is renamed at this size; Alertmanager then opens a new one. */
const longestBytes = 4 * 2 ** 20;
/** How many renamed files stay. */
const rotated = 3;

/** The file and the older ones that it was renamed to, oldest first. */
export const alertLogPaths: readonly string[] = [
  ...Array.from({ length: rotated }, (_, at) => `${alertLogPath}.${rotated - at}`),
  alertLogPath,
];

/**
 * The shell script that rotates the file once it is long: Alertmanager does not. It goes on to write to a renamed file until it has
 * opened the new one, so that no event is lost.
 */
export const rotateAlertLog = [
  `[ "$(stat -c %s ${alertLogPath} 2>/dev/null || echo 0)" -lt ${longestBytes} ]`,
  `{ ${alertLogPaths
    .slice(1)
    .map((path, at) => `mv -f ${path} ${alertLogPaths[at]}`)
    .join('; ')}; } 2>/dev/null`,
].join(' || ');
