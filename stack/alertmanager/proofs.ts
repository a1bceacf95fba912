import type { Proof, RenderedFile, Verdict } from '../model.ts';
import { Secret } from '../secret.ts';
import type { Release } from '../service.ts';
import { mainFile } from './main-file.ts';

/** The main file; Alertmanager's own hash covers it alone. */

/** Writes the revision of all files into alertmanager.yml, whose hash Alertmanager exports: so the hash speaks for the templates too. */
export function stamp(files: readonly RenderedFile[], revision: string): readonly RenderedFile[] {
  // At the end, so that the lines above stay where the person has them.
  const line = `# revision ${revision}\n`;
  const withLine = (text: string): string => (text.endsWith('\n') || text === '' ? text + line : `${text}\n${line}`);
  return files.map((file) => {
    if (file.path !== mainFile) return file;
    const { content, masked } = file;
    return {
      ...file,
      ...(masked === undefined ? {} : { masked: withLine(masked) }),
      content: content instanceof Secret ? new Secret(withLine(content.reveal()), content.origin) : withLine(content),
    };
  });
}

/**
 * The number Alertmanager exports as `alertmanager_config_hash`: the first six bytes, little-endian, of the MD5 of
 * alertmanager.yml (config/coordinator.go; tried on 0.33.1).
 */
function configHash(text: string, md5: (text: string) => Uint8Array): number {
  return md5(text)
    .slice(0, 6)
    .reduceRight((sum, byte) => sum * 256 + byte, 0);
}

/** The config hash in Alertmanager's /metrics; undefined when it is not there. */
function configHashIn(metrics: string): number | undefined {
  const match = /^alertmanager_config_hash (\S+)$/m.exec(metrics);
  return match === null ? undefined : Number(match[1]);
}

/** Alertmanager runs these files when the hash it exports is the hash of ours. */
export function proofs({ files, revision, md5 }: Release): readonly Proof[] {
  const content = files.find((file) => file.path === mainFile)?.content ?? '';
  const wanted = configHash(content instanceof Secret ? content.reveal() : content, md5);
  return [
    {
      claim: `runs the alertmanager.yml of revision ${revision}`,
      request: { method: 'GET', port: 9093, path: '/metrics' },
      judge: ({ status, body }): Verdict => {
        if (status !== 200) return { kind: 'notYet', because: `its metrics page answers ${status}` };
        const running = configHashIn(body);
        if (running === wanted) return { kind: 'proven' };
        if (/^alertmanager_config_last_reload_successful 0$/m.test(body)) {
          return { kind: 'refuted', because: 'it says that its last reload failed; its log has the reason' };
        }
        return { kind: 'notYet', because: `its config hash is ${running ?? 'not exported'}, not ${wanted}` };
      },
    },
  ];
}
