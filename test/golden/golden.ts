import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadStack } from '../../scripts/config/load.ts';
import { render } from '../../scripts/render/render.ts';
import type { Rendering } from '../../scripts/render/rendering.ts';
import { loadTemplates } from '../../scripts/render/templates.ts';

const here = import.meta.dirname;

/** The environment of the cases; none of these values may appear in the output. */
const env = {
  SCRAPE_PASSWORD: "planted-secret's password",
  SMTP_PASSWORD: 'planted-secret: {{ $1 }} "#',
  SLACK_URL: 'https://hooks.slack.example.com/planted-secret',
} as const;

export const cases = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

export function folderOf(name: string): string {
  return join(here, name);
}

/** Renders a case as in its folder. */
export async function renderCase(name: string): Promise<Rendering> {
  const cwd = folderOf(name);
  if (!existsSync(join(cwd, 'stack.yml'))) throw new Error(`the case ${name} has no stack.yml`);
  const loaded = await loadStack({ cwd, env });
  if (!loaded.ok) throw new Error(`${name}: ${JSON.stringify(loaded.error)}`);
  const rendered = render(loaded.value, await loadTemplates(join(cwd, 'templates'), cwd));
  if (!rendered.ok) throw new Error(`${name}: ${JSON.stringify(rendered.error)}`);
  return rendered.value;
}
