import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from './serve.ts';
import { complaints, readSettings } from './settings.ts';
import { Database, hashOf } from './store.ts';
import { resetPassword } from './users.ts';

// The stand-in for Grafana's image: one program that is `/run.sh` and `grafana` by the name it is called by.

const [, called = '', ...args] = process.argv;
if (called.endsWith('run.sh')) start();
else runCli();

/** What the image's start script and the server do before the first request. */
function start(): void {
  const { env } = process;
  if (!canAccess(env['GF_PATHS_CONFIG'] ?? '', constants.R_OK))
    die(`GF_PATHS_CONFIG='${env['GF_PATHS_CONFIG']}' is not readable.`);
  const data = env['GF_PATHS_DATA'] ?? '';
  if (!canAccess(data, constants.W_OK)) die(`GF_PATHS_DATA='${data}' is not writable.`);
  mkdirSync(env['GF_PATHS_PLUGINS'] ?? '', { recursive: true });
  for (const folder of ['/tmp', env['GF_PATHS_LOGS'] ?? '']) writeFileSync(join(folder, '.try'), '');
  const settings = readSettings(env);
  for (const wrong of [...confinement(), ...complaints(env, settings)]) die(`the stand-in refuses to start: ${wrong}`);
  const database = new Database(data);
  const secretKey = hashOf(settings['security.secret_key'] ?? '');
  if (!database.isThere) database.create(settings['security.admin_password'] ?? '', secretKey);
  if (database.read().secretKey !== secretKey) {
    process.stdout.write(
      'logger=secrets level=error msg="Failed to decrypt data keys" error="cipher: message authentication failed"\n',
    );
    database.update({ secretKey });
  }
  serve(database, settings);
}

/** `grafana cli`, with the settings of the container alone. */
function runCli(): void {
  const database = new Database(readSettings(process.env)['paths.data'] ?? '');
  const { exitCode, stdout, stderr } = resetPassword(database, args, readFileSync(0, 'utf8'));
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = exitCode;
}

/** Checks the isolation of the container that promstack promises; any lack is reported. */
function confinement(): readonly string[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1];
  return [
    ...(process.getuid?.() === 472 && process.getgid?.() === 0 ? [] : ['it does not run as 472:0']),
    ...(/^0+$/.test(field('CapBnd') ?? '') ? [] : ['it may have capabilities']),
    ...(field('NoNewPrivs') === '1' || process.env['STAND_IN_MAY_GAIN'] === 'yes' ? [] : ['it may gain privileges']),
    ...(isReadOnly('/usr/share/grafana') ? [] : ['its root file system can be written']),
  ];
}

/** The folder is open to everybody in the image, so that only the file system itself can refuse. */
function isReadOnly(folder: string): boolean {
  try {
    writeFileSync(join(folder, '.try'), '');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

function canAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function die(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
