import type { Diagnostic } from '../../stack/diagnostic.ts';
import type { UserFiles } from '../../stack/service.ts';
import { readPlainYaml } from './plain-yaml.ts';
import { readYaml } from './yaml-source.ts';

/** What is wrong with a file of YAML or JSON. Fast as long as nothing is; only then is the file read again with its places kept. */
export async function checkYaml(
  content: string,
  origin: string,
  problemsOf: NonNullable<UserFiles['problems']>,
): Promise<readonly Diagnostic[]> {
  const quick = readJson(content) ?? readPlainYaml(content);
  if (quick !== undefined && (await problemsOf(quick.value)).length === 0) return [];
  const source = readYaml(content, origin);
  const problems = source.isWhole ? await problemsOf(source.value) : [];
  return [...source.diagnostics, ...problems.map(source.toDiagnostic)];
}

function readJson(content: string): { readonly value: unknown } | undefined {
  if (!/^\s*[{[]/.test(content)) return undefined;
  try {
    return { value: JSON.parse(content) };
  } catch {
    return undefined;
  }
}
