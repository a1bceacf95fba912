import type { StackConfig } from '../../../stack/config.ts';
import type { Service } from '../../../stack/service.ts';
import { enabledServices } from '../../../stack/services.ts';
import { closest } from '../../../stack/values/closest.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';

/** The services named on the command line, or all of the stack when none is; an InputError for names it does not have. */
export function whichServices(config: StackConfig, names: readonly string[]): readonly Service[] {
  const enabled = enabledServices(config);
  const known = enabled.map((service) => service.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new InputError(
      unknown.map((name) => {
        const near = closest(name, known);
        return misuse(
          `this stack has no service ${name}`,
          near === undefined ? `it has ${known.join(', ')}` : `did you mean ${near}?`,
        );
      }),
    );
  }
  return names.length === 0 ? enabled : enabled.filter((service) => names.includes(service.name));
}
