import * as z from 'zod';
import { secretText } from '../values/secret-text.ts';
import { expects } from '../values/words.ts';

/** The form of every uid in Grafana 12: a wrong one is refused since 12.0. */
export const uidForm = /^[a-zA-Z0-9_-]{1,40}$/;

const uid = z
  .string()
  .regex(uidForm, { error: expects('a uid of at most 40 letters, digits, - and _') })
  .meta({ description: 'What dashboards refer to it by; absent means one made of the name' });

/**
 * A datasource in Grafana's own provisioning syntax (pkg/services/provisioning/datasources/types.go, 12.4), but strict: Grafana
 * ignores keys it does not know without a word.
 */
export const datasource = z.strictObject({
  name: z.string().min(1).meta({ description: 'Its name in Grafana; Grafana knows it again by this' }),
  type: z.string().min(1).meta({ description: 'The plugin, such as prometheus, loki or postgres' }),
  access: z
    .enum(['proxy', 'direct'])
    .default('proxy')
    .meta({ description: "proxy: Grafana's server asks it; direct: the browser does" }),
  orgId: z.int().min(1).default(1).meta({ description: 'The organisation it belongs to, which must be there' }),
  uid: uid.optional(),
  url: z.string().optional().meta({ description: "Its address as Grafana's container sees it" }),
  user: z.string().optional().meta({ description: 'The user of a database' }),
  database: z.string().optional().meta({ description: 'The database of a database server' }),
  basicAuth: z.boolean().optional().meta({ description: 'Whether to log in by basic auth' }),
  basicAuthUser: z.string().optional().meta({ description: 'The user for basic auth' }),
  withCredentials: z.boolean().optional().meta({ description: 'Whether the browser sends its cookies along' }),
  isDefault: z.boolean().default(false).meta({ description: 'Whether new panels use it; one for each organisation' }),
  jsonData: z.record(z.string(), z.unknown()).default({}).meta({ description: "The plugin's own settings" }),
  secureJsonData: z
    .record(z.string(), secretText)
    .default({})
    .meta({ description: "The plugin's own secrets, such as basicAuthPassword" }),
  correlations: z
    .array(z.record(z.string(), z.unknown()))
    .optional()
    .meta({ description: 'Links from its results to other queries' }),
  version: z.int().optional().meta({ description: 'Grafana keeps what it has when that is of a newer version' }),
  editable: z.boolean().default(false).meta({ description: 'Whether it can be changed in the browser' }),
});

/** A datasource as stack.yml has it, defaults filled in. */
export type Datasource = z.infer<typeof datasource>;

/** The uid of a datasource: its own, or one made of its name. */
export function uidOf({ uid: written, name }: Pick<Datasource, 'uid' | 'name'>): string {
  if (written !== undefined) return written;
  const made = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return made.slice(0, 40) || 'datasource';
}
