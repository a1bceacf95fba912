import { beforeAll } from 'vitest';
import { forgetSecrets } from '../../scripts/util/redaction.ts';

// The files of unit tests share their modules: a secret of one file must not be masked in the output of the next.
// A file may also make errors, which are masked at once, before its tests.
forgetSecrets();
beforeAll(() => forgetSecrets());
