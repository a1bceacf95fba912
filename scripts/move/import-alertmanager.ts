import { isMap, type Node } from 'yaml';
import { alertmanagerSecrets } from '../../stack/alertmanager/secret-fields.ts';
import { Comments } from './comments.ts';
import { addExported, isExported, removeOwnParts } from './exported-parts.ts';
import { type Forms, hasForm } from './forms.ts';
import { type ServerImport, takeListComments } from './import-prometheus.ts';
import { filesAt, globBeside, placeBeside } from './mounted-files.ts';
import { moveReferences, type NativeConfig } from './native-config.ts';
import { childOf, isEmpty, itemsOf, keyOf, pairOf, placeOf, textOf } from './yaml-tree.ts';

const sections = [
  'global',
  'route',
  'receivers',
  'inhibit_rules',
  'time_intervals',
  'mute_time_intervals',
  'tracing',
  'event_recorder',
];

const forms: Forms = { global: 'mapping', route: 'mapping', receivers: 'list', templates: 'list' };

/** Moves an alertmanager.yml into the section of Alertmanager. */
export async function importAlertmanager({ file, view, inputs, draft, addresses }: ServerImport): Promise<void> {
  const root = file.tree?.root;
  if (!isMap(root)) return;
  const section = draft.section('alertmanager');
  const native: NativeConfig = {
    section: ['alertmanager'],
    prefix: 'alertmanager-',
    secretFiles: alertmanagerSecrets,
    view,
    inputs,
    draft,
    reserved: ['templates', 'secrets'],
  };
  const comments = new Comments(root, draft);
  if (isExported(view)) await removeOwnParts(root);
  for (const pair of root.items) {
    const key = keyOf(pair);
    const value = pair.value as Node;
    if (isEmpty(value) || !hasForm(pair, forms, file.shown, draft)) continue;
    if (key === 'templates') {
      await importTemplates(value, { file, view, inputs, draft, addresses });
      takeListComments(pair, pairOf(section, 'templates'));
    } else if (sections.includes(key)) {
      for (const item of key === 'receivers' ? itemsOf(value) : [value]) {
        addresses.inNode('alertmanager', item);
        await moveReferences(item, key, textOf(childOf(item, 'name')) ?? key, native);
      }
      section.items.push(pair);
      draft.findings.taken(key, placeOf(pair.key), `alertmanager.${key}`);
    } else {
      draft.findings.left(key, placeOf(pair.key), 'no key of stack.yml has it, and Alertmanager does not document it');
    }
  }
  comments.keep(section);
}

async function importTemplates(list: Node, { view, inputs, draft }: ServerImport): Promise<void> {
  for (const item of itemsOf(list)) {
    const pattern = textOf(item);
    if (pattern === undefined) continue;
    const paths = await filesAt(pattern, view);
    if (paths.length === 0 && !isExported(view))
      draft.findings.left(`templates ${pattern}`, placeOf(item), 'no file was found by this path');
    for (const path of paths) {
      const file = await inputs.open(path);
      if (file === undefined) continue;
      if (isExported(view)) {
        addExported(file, 'templates', draft, item);
        continue;
      }
      const place = draft.copy(placeBeside(path, view.folder, 'notifications', ['templates']), file);
      draft.addTo(['alertmanager', 'templates'], globBeside(place, pattern), item);
      draft.findings.taken(file.shown, undefined, place);
    }
  }
}
