import type { KeyPath, Problem } from '../diagnostic.ts';
import { mappingsIn, type Native } from '../values/native.ts';
import { inWords, quoted } from '../values/words.ts';

/** What people most often get wrong in the static targets of a job. */
export function targetProblems(job: Native, path: KeyPath): readonly Problem[] {
  return mappingsIn(job['static_configs'], [...path, 'static_configs']).flatMap((group) => {
    const targets = group.value['targets'];
    const here = [...group.path, 'targets'];
    if (Array.isArray(targets)) return targets.flatMap((target: unknown, at) => targetProblem(target, [...here, at]));
    if (targets === undefined || targets === null) return [];
    const message = `a list of targets is expected here, not ${inWords(targets)}`;
    const hint = typeof targets === 'string' ? `[${quoted(targets)}]` : 'begin each target with "- "';
    return [{ code: 'wrong-type', path: here, message, hint }];
  });
}

function targetProblem(target: unknown, path: KeyPath): readonly Problem[] {
  if (typeof target !== 'string') return [];
  const [, scheme, rest = ''] = /^(?:(\w+):\/\/)?(.*)$/s.exec(target) ?? [];
  const [address = ''] = rest.split('/');
  if (scheme !== undefined || rest.includes('/')) {
    const moved = [
      ...(scheme === 'https' ? ['"scheme: https"'] : []),
      ...(rest.length > address.length + 1 ? [`"metrics_path: ${rest.slice(address.length)}"`] : []),
    ];
    return [
      {
        code: 'wrong-target',
        path,
        message: `a target is host:port, without ${scheme === undefined ? 'a path' : `"${scheme}://"`}`,
        hint: `write "${address}"${moved.length > 0 ? ` here and ${moved.join(' and ')} in the job` : ''}`,
      },
    ];
  }
  const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.exec(target);
  // Port 9090 of itself is a target that makes sense.
  if (loopback === null || loopback[1] === ':9090') return [];
  return [
    {
      code: 'loopback-target',
      path,
      severity: 'warning',
      message: `to Prometheus, which runs in a container, ${quoted(target)} is that container itself`,
      hint: `this machine is "host.docker.internal${loopback[1] ?? ''}"`,
    },
  ];
}
