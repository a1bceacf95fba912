import { execa } from 'execa';

/** Debian's Python, which can import Debian's packages. */
export const python = '/usr/bin/python3';

/** Sees to it that Prometheus's own client for Python is here: from Debian's packages when missing, which takes root. */
export async function ensurePythonClient(): Promise<void> {
  if (await hasClient()) return;
  if (process.getuid?.() !== 0) {
    throw new Error(
      'the tests of the Python example need Prometheus’s Python client: apt-get install python3-prometheus-client',
    );
  }
  if (!(await install())) {
    await apt('update');
    await install();
  }
  if (!(await hasClient())) throw new Error('apt-get did not install python3-prometheus-client');
}

async function hasClient(): Promise<boolean> {
  return (await execa(python, ['-c', 'import prometheus_client'], { reject: false })).exitCode === 0;
}

async function install(): Promise<boolean> {
  return apt('install', '--yes', '--no-install-recommends', 'python3-prometheus-client');
}

async function apt(...args: readonly string[]): Promise<boolean> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  return (await execa('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], { reject: false, env })).exitCode === 0;
}
