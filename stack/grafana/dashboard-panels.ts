import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { isMapping, type Mapping } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';
import { type DashboardModel, panelsIn } from './dashboard-file.ts';
import { formerPanels, isOfficialImage, panelTypes } from './image-contents.ts';

/** What a dashboard's panels need that Grafana's image or database may lack; Grafana loads it in each case. */
export function panelProblems(dashboard: DashboardModel, image: string): readonly Problem[] {
  const panels = typedPanels(dashboard);
  return [
    ...formerPanelNote(dashboard, panels),
    ...(isOfficialImage(image) ? panels.flatMap((panel) => missingPlugins(panel, image)) : []),
    ...libraryPanels(dashboard),
  ];
}

interface TypedPanel {
  readonly type: string;
  readonly path: KeyPath;
}

/** All panels with a type: those of schema v2 have it as the group, in v2alpha1 as the kind, of their visualization. */
function typedPanels({ model, path, isSchemaV2 }: DashboardModel): readonly TypedPanel[] {
  if (!isSchemaV2) {
    return panelsIn(model, path).flatMap(({ panel: { type }, path: at }) =>
      typeof type === 'string' ? [{ type, path: [...at, 'type'] }] : [],
    );
  }
  return elementsOf(model).flatMap(([name, spec]): readonly TypedPanel[] => {
    const visualization = spec['vizConfig'];
    if (!isMapping(visualization)) return [];
    const by = visualization['group'] === undefined ? 'kind' : 'group';
    const type = visualization[by];
    return typeof type === 'string' ? [{ type, path: [...path, 'elements', name, 'spec', 'vizConfig', by] }] : [];
  });
}

/** The elements of schema v2, by name, with their specs. */
function elementsOf(model: Mapping): readonly (readonly [string, Mapping])[] {
  const elements = isMapping(model['elements']) ? Object.entries(model['elements']) : [];
  return elements.flatMap(([name, element]) =>
    isMapping(element) && isMapping(element['spec']) ? [[name, element['spec']] as const] : [],
  );
}

/** One note a file: Grafana 12 shows old panels and rows, but does not change the file. */
function formerPanelNote({ model, path }: DashboardModel, panels: readonly TypedPanel[]): readonly Problem[] {
  const types = [...new Set(panels.flatMap(({ type }) => (type in formerPanels ? [type] : [])))];
  const hasRows = Array.isArray(model['rows']);
  if (types.length === 0 && !hasRows) return [];
  const first = panels.find(({ type }) => type in formerPanels)?.path ?? [...path, 'rows'];
  const shown = types.map((type) => `${type} panels as ${formerPanels[type]}`);
  const all = [...shown, ...(hasRows ? ['its rows in the grid'] : [])];
  return [
    {
      severity: 'note',
      code: 'former-panel',
      path: first,
      atKey: types.length === 0,
      message: `Grafana shows ${all.join(', ')}: the dashboard is from an earlier version`,
      hint: 'save it in Grafana and export it again for a file that says what is shown',
    },
  ];
}

function missingPlugins({ type, path }: TypedPanel, image: string): readonly Problem[] {
  if (panelTypes.includes(type) || type in formerPanels) return [];
  const near = closest(type, panelTypes, 2);
  const hint = near === undefined ? 'set grafana.image to one that has it' : `did you mean ${quoted(near)}?`;
  const message = `${image} has no plugin for panels of type ${quoted(type)}: Grafana shows an error in its place`;
  return [{ severity: 'warning', code: 'unknown-panel', path, message, hint }];
}

/** Library panels are stored in Grafana's database; a file can only refer to them. */
function libraryPanels({ model, path, isSchemaV2 }: DashboardModel): readonly Problem[] {
  const references = isSchemaV2
    ? elementsOf(model).map(([name, spec]) => ({ panel: spec, path: [...path, 'elements', name, 'spec'] }))
    : panelsIn(model, path);
  return references.flatMap(({ panel, path: at }): readonly Problem[] => {
    const library = panel['libraryPanel'];
    if (!isMapping(library)) return [];
    const name = String(library['name'] ?? library['uid']);
    return [
      {
        severity: 'warning',
        code: 'library-panel',
        path: [...at, 'libraryPanel'],
        atKey: true,
        message: `the panel is the library panel ${quoted(name)}, which is in Grafana's database and not in the stack`,
        hint: 'unlink it in Grafana before the export, so that it becomes a regular panel',
      },
    ];
  });
}
