import { StackError } from '../../util/stack-error.ts';
import type { Attendant } from '../service-driver.ts';
import { confirmFiles } from './confirm.ts';
import { removeFormerDashboards } from './previous-dashboards.ts';
import { reloadFiles } from './reload.ts';
import { signIn } from './sign-in.ts';
import { silentDatasources } from './silent-datasources.ts';

/** How long what a reload has done may take to be seen: it answers only when it is done. */
const afterReloadMs = 5_000;

/** Attends to Grafana: logs in, lets it load its files, and reads back by uid what it then holds. */
export const grafanaAttendant: Attendant = {
  service: 'grafana',

  async reload(room) {
    const api = await signIn(room);
    await reloadFiles(room, api);
    try {
      await confirmFiles({ ...room, deadlineMs: Math.min(afterReloadMs, room.deadlineMs) }, api);
    } catch (error) {
      // A reload that answered well may still have left a datasource as it was; a second one sets it right.
      if (!(error instanceof StackError)) throw error;
      await reloadFiles(room, api);
    }
  },

  async confirm(room) {
    const api = await signIn(room);
    await confirmFiles(room, api);
    const notes = await Promise.all([silentDatasources(room, api), removeFormerDashboards(room, api)]);
    return notes.flat();
  },
};
