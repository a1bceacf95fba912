import { risksOf } from '../../stack/risks.ts';
import { configDir } from '../../stack/values/container.ts';
import { hashFiles } from '../state/files-hash.ts';
import type { DesiredService } from './desired.ts';
import { diffSpec } from './diff-spec.ts';
import { changedByHand } from './manual-changes.ts';
import type { ObservedService } from './observed.ts';
import type { Change } from './plan.ts';

/** What happens to one service, and whether its link has to move to another release. */
export interface Decision {
  readonly change: Change;
  readonly moves: boolean;
}

/** Decides about one service by what it is meant to be and what it is. */
export function decide(
  wanted: DesiredService,
  found: ObservedService | undefined,
  about: {
    readonly network: string;
    /** Whether the history says that the service ran. */
    readonly isRecorded: boolean;
    /** Whether the files in place are those that the history names as confirmed last, or it cannot tell. */
    readonly isConfirmed: boolean;
    readonly recreate: boolean;
  },
): Decision {
  const change = (action: Change['action'], ...because: string[]): Change => ({
    service: wanted.service.name,
    action,
    because,
  });
  if (found === undefined) {
    const why = about.isRecorded ? 'its container is gone' : 'no container yet';
    return { change: change('create', why), moves: wanted.release !== undefined };
  }
  const filesMoved = whyFilesMove(wanted, found);
  const moves = filesMoved !== undefined;
  const recreate = whyRecreate(wanted, found, about);
  if (recreate.length > 0) {
    const risks = found.spec === undefined ? [] : risksOf(wanted.service, found.spec, wanted.spec);
    const plain = change('recreate', ...recreate, ...listed(filesMoved));
    return { change: risks.length === 0 ? plain : { ...plain, risks }, moves };
  }
  if (found.container.state !== 'running') {
    return { change: change('start', `it is ${inWords(found.container.state)}`, ...listed(filesMoved)), moves };
  }
  const newToIt = filesMoved ?? whyUnconfirmed(wanted, about.isConfirmed);
  if (newToIt !== undefined) {
    const isReloaded = wanted.service.reload !== undefined;
    const how = isReloaded
      ? change('reload', newToIt)
      : change('recreate', newToIt, 'it reads its files only when it starts');
    return { change: how, moves };
  }
  if (found.unproven !== undefined) {
    return { change: change('reload', `the running server is behind its files: ${found.unproven}`), moves };
  }
  return { change: change('none', 'it is as it should be'), moves };
}

function whyRecreate(
  wanted: DesiredService,
  found: ObservedService,
  { network, recreate }: { readonly network: string; readonly recreate: boolean },
): readonly string[] {
  const { container } = found;
  if (found.specHash !== wanted.specHash) {
    const reasons = found.spec === undefined ? [] : diffSpec(found.spec, wanted.spec);
    return reasons.length > 0 ? reasons : ['it was made from another spec'];
  }
  if (wanted.imageId !== undefined && container.imageId !== wanted.imageId) {
    return [`${wanted.spec.image} is another image now`];
  }
  if (container.state === 'restarting' || container.state === 'dead' || container.state === 'paused') {
    return [`it is ${inWords(container.state)}`];
  }
  const altered = changedByHand(found, network);
  if (altered.length > 0) return altered;
  return recreate ? ['you asked for it'] : [];
}

function whyFilesMove({ release, folder }: DesiredService, found: ObservedService): string | undefined {
  if (release === undefined) return undefined;
  if (found.linked === undefined) return 'it has no files yet';
  if (found.linked !== release.revision) return `its files changed: revision ${found.linked} -> ${release.revision}`;
  if (folder !== undefined && found.folder !== folder) return `${configDir} leads to another copy of its files`;
  if (found.filesHash !== hashFiles(release.files)) return 'its files were changed by hand in the config volume';
  return undefined;
}

/** A run that was cut short may have put files in place without the server; one that cannot be asked what it runs is told of them. */
function whyUnconfirmed({ service, release }: DesiredService, isConfirmed: boolean): string | undefined {
  if (release === undefined || isConfirmed || service.proofs(release).length > 0) return undefined;
  return 'its files were never confirmed';
}

const listed = (reason: string | undefined): string[] => (reason === undefined ? [] : [reason]);

const inWords = (state: ObservedService['container']['state']): string =>
  state === 'exited' ? 'stopped' : state === 'created' ? 'created but was never started' : state;
