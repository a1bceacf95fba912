import { grafanaAttendant } from '../servers/grafana/driver.ts';
import type { Attendant } from '../servers/service-driver.ts';

/** Every attendant there is; most services need none. */
const attendants: readonly Attendant[] = [grafanaAttendant];

/** The attendant of a service, if it has one. */
export function attendantOf(service: string): Attendant | undefined {
  return attendants.find((one) => one.service === service);
}
