import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandRunner } from './apt/run.ts';
import type { Recipe } from './recipes.ts';
import { concatenate, MissingFileError, RootTree, type TreeEntry } from './root-tree.ts';

/** The user the official images run as. */
export const nobody = 65534;

/** The root file system of a program's image, out of the folder into which its packages were unpacked. */
export async function layOutRoot(unpacked: string, recipe: Recipe, run: CommandRunner): Promise<readonly TreeEntry[]> {
  const tree = new RootTree(unpacked);
  for (const [path, from] of Object.entries(recipe.programs)) {
    if (!(await tree.addProgram(path, from))) throw new MissingFileError(`none of its packages has /${from}`);
  }
  for (const folder of recipe.folders) await tree.include(folder);
  await tree.include('usr/share/zoneinfo');
  await addShell(tree, unpacked, run);
  await addFixedParts(tree, unpacked);
  tree.add({ kind: 'directory', path: recipe.home.slice(1), mode: 0o755, owner: nobody });
  return tree.entries();
}

/** Busybox under each of its names, but for those that are a program's own. */
async function addShell(tree: RootTree, unpacked: string, run: CommandRunner): Promise<void> {
  const places = ['usr/bin/busybox', 'bin/busybox'];
  const found = await Promise.all(
    places.map((place) =>
      stat(join(unpacked, place)).then(
        () => place,
        () => undefined,
      ),
    ),
  );
  const busybox = found.find((place) => place !== undefined);
  if (busybox === undefined || !(await tree.addProgram('bin/busybox', busybox))) {
    throw new MissingFileError('none of its packages has a busybox');
  }
  const applets = (await run(join(unpacked, busybox), ['--list'])).split('\n');
  for (const applet of applets.filter((name) => name !== '' && !tree.has(`bin/${name}`))) {
    tree.add({ kind: 'link', path: `bin/${applet}`, to: 'busybox' });
  }
}

async function addFixedParts(tree: RootTree, unpacked: string): Promise<void> {
  const authorities = await concatenate(join(unpacked, 'usr/share/ca-certificates/mozilla'), '.crt');
  const texts = {
    'etc/passwd': `root:x:0:0:root:/root:/bin/sh\nnobody:x:${nobody}:${nobody}:nobody:/home:/bin/false\n`,
    'etc/group': `root:x:0:\nnobody:x:${nobody}:\n`,
    'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    'etc/ssl/certs/ca-certificates.crt': authorities,
  };
  for (const [path, content] of Object.entries(texts)) tree.add({ kind: 'text', path, content });
  tree.add({ kind: 'directory', path: 'root', mode: 0o700, owner: 0 });
  tree.add({ kind: 'directory', path: 'home', mode: 0o755, owner: 0 });
  tree.add({ kind: 'directory', path: 'tmp', mode: 0o1777, owner: 0 });
}
