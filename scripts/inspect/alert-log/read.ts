import { alertLogPath, alertLogPaths, rotateAlertLog } from '../../../stack/alertmanager/event-recorder.ts';
import { parseRecordedEvent, type RecordedEvent } from '../../../stack/alertmanager/recorded-events.ts';
import { isMapping, type Mapping, mappingsIn } from '../../../stack/values/mapping.ts';
import { AlertmanagerClient } from '../../servers/alertmanager.ts';
import { NoAnswerError, type Servers } from '../../servers/servers.ts';
import { StackError } from '../../util/stack-error.ts';

const service = 'alertmanager';
const doing = 'reading the alert log';

/** Where a running Alertmanager records its events, and its config, by which it notifies. */
export interface AlertLogSource {
  readonly path: string;
  /** The parsed alertmanager.yml; empty while Alertmanager does not answer. */
  readonly config: Mapping;
}

/** Finds the file of the event recorder; rejects with a StackError when Alertmanager has none. */
export async function findAlertLog(servers: Servers): Promise<AlertLogSource> {
  const client = new AlertmanagerClient(servers);
  let config: unknown;
  try {
    config = await client.config();
  } catch (error) {
    // Its file can be read from a stopped container too.
    if (error instanceof NoAnswerError) return { path: alertLogPath, config: {} };
    throw error;
  }
  const main = isMapping(config) ? config : {};
  const recorder = isMapping(main['event_recorder']) ? main['event_recorder'] : {};
  const [output] = mappingsIn(recorder['file_outputs'], []);
  const path = output?.value['path'];
  if (typeof path === 'string') return { path, config: main };
  throw await whyNotRecorded(client, servers, Object.keys(recorder).length > 0);
}

async function whyNotRecorded(client: AlertmanagerClient, { config }: Servers, hasOther: boolean): Promise<StackError> {
  if (hasOther) {
    const why = 'event_recorder of the running Alertmanager has no file_outputs';
    return new StackError({ doing, why, tryThis: 'add one, or remove alertmanager.event_recorder, then promstack up' });
  }
  const version = await client.version();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === 0 && minor < 33) {
    const why = `Alertmanager ${version} does not record alerts: that needs 0.33 or newer`;
    return new StackError({ doing, why, tryThis: 'set alertmanager.image to a newer version, then promstack up' });
  }
  if (config.alertmanager.alert_log === false)
    return new StackError({ doing, why: 'alertmanager.alert_log is false', tryThis: 'remove it, then promstack up' });
  return new StackError({
    doing,
    why: `the running Alertmanager ${version} does not record alerts`,
    tryThis: 'promstack up; if that changes nothing, set alertmanager.alert_log to true first',
  });
}

/** Records of the event recorder, and how many lines were of an unknown kind. */
export interface Records {
  readonly events: readonly RecordedEvent[];
  readonly skipped: number;
}

/** The records so far, oldest first, and the length of the current file in bytes. */
export async function readRecords(
  servers: Servers,
  { path }: AlertLogSource,
): Promise<Records & { readonly bytes: number }> {
  if (path === alertLogPath) await rotate(servers);
  const paths = path === alertLogPath ? alertLogPaths : [path];
  const texts = await Promise.all(paths.map((file) => servers.file(service, file)));
  if (texts.every((text) => text === undefined)) {
    await servers.mustRun(service);
    throw noFile(path);
  }
  const whole = texts.map((text = '') => wholeLines(text));
  return { ...parseLines(whole.join('')), bytes: Buffer.byteLength(whole.at(-1) ?? '') };
}

function noFile(path: string): StackError {
  return new StackError({
    doing,
    why: `Alertmanager has not written ${path}`,
    tryThis:
      'promstack logs alertmanager says why; before 0.33, and without --enable-feature=event-recorder, it records nothing',
  });
}

/** What was recorded after the first bytes of the file; of a file that was rotated since, from its start. */
export async function readNewRecords(
  servers: Servers,
  { path }: AlertLogSource,
  bytes: number,
): Promise<Records & { readonly bytes: number }> {
  const script = 'wc -c < "$1"; tail -c +"$2" "$1"';
  const read = async (file: string, from: number): Promise<{ size: number; text: string }> => {
    const { exitCode, stdout, stderr } = await servers.exec(service, [
      'sh',
      '-c',
      script,
      'sh',
      file,
      String(from + 1),
    ]);
    if (exitCode !== 0)
      throw new StackError({ doing, why: stderr.trim() || stdout.trim(), tryThis: 'promstack status' });
    const [size = '', ...rest] = stdout.split('\n');
    return { size: Number(size), text: wholeLines(rest.join('\n')) };
  };
  const { size, text } = await read(path, bytes);
  if (size >= bytes) return { ...parseLines(text), bytes: bytes + Buffer.byteLength(text) };
  const older = await read(alertLogPaths.at(-2) ?? path, bytes);
  const newer = await read(path, 0);
  return { ...parseLines(older.text + newer.text), bytes: Buffer.byteLength(newer.text) };
}

/** Alertmanager may be in the middle of the last line. */
const wholeLines = (text: string): string => text.slice(0, text.lastIndexOf('\n') + 1);

function parseLines(text: string): Records {
  const lines = text.split('\n').filter((line) => line !== '');
  const events = lines.flatMap((line) => parseRecordedEvent(line) ?? []);
  return { events, skipped: lines.length - events.length };
}

/** The file stays as long as it is where the container does not run or has no shell. */
async function rotate(servers: Servers): Promise<void> {
  try {
    await servers.exec(service, ['sh', '-c', rotateAlertLog]);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
  }
}
