import pc from 'picocolors';
import { expect, test } from 'vitest';
import { printImages } from '../../../scripts/cli/print/plan.ts';
import { substitutesOf, withRunningImages } from '../../../scripts/plan/substitutes.ts';
import { stackSchema } from '../../../stack/config.ts';
import { findService } from '../../../stack/services.ts';

const named = 'prom/prometheus:v3.8.0';
const config = stackSchema.parse({ prometheus: { image: named } });
const required = [
  { service: 'prometheus', reference: named },
  { service: 'alertmanager', reference: config.alertmanager.image },
  { service: 'pushgateway', reference: config.pushgateway.image },
  { service: 'grafana', reference: config.grafana.image },
];

test('an image of packages must be named as a substitute, in yellow where the user named another', () => {
  const images = new Map([
    [named, { ref: 'promstack/prometheus:3.5.3-debian' }],
    [config.alertmanager.image, { ref: 'localhost/promstack/alertmanager:0.33.1-debian' }],
    [config.pushgateway.image, { ref: 'mirror.example/prom/pushgateway:v1.11.2' }],
    [config.grafana.image, { ref: config.grafana.image }],
  ]);
  const substitutes = substitutesOf(required, images);
  expect(substitutes.map(({ service, isNamed }) => [service, isNamed])).toEqual([
    ['prometheus', true],
    ['alertmanager', false],
  ]);
  const colours = pc.createColors(true);
  const line = `promstack/prometheus:3.5.3-debian is a substitute for ${named}`;
  expect(printImages({ substitutes, absentImages: ['prom/pushgateway:v0', 'a:1'] }, colours)).toBe(
    `${colours.yellow(line)}\nlocalhost/promstack/alertmanager:0.33.1-debian is a substitute for ${config.alertmanager.image}\n${colours.yellow('not on the engine yet: prom/pushgateway:v0, a:1')}\n`,
  );
});

test('an image built from packages that stack.yml names itself must not be called a substitute', () => {
  const own = 'promstack/prometheus:3.5.3-debian';
  expect(substitutesOf([{ service: 'prometheus', reference: own }], new Map([[own, { ref: own }]]))).toEqual([]);
});

test.each([
  ['prometheus', 'promstack/prometheus:3.5.3-debian'],
  ['alertmanager', 'mirror.example/prom/alertmanager:v0.28.1'],
  ['pushgateway', 'promstack/pushgateway:1.10.0-debian'],
] as const)('a hint about a flag of %s must name the image that runs', (name, ref) => {
  const wrong = stackSchema.parse({ [name]: { extra_args: ['--no-such-flag'] } });
  const service = findService(name);
  const hintsWith = (images: ReadonlyMap<string, { readonly ref: string }>) =>
    service
      ?.checks(withRunningImages(wrong, images), [], [], () => [])
      .filter(({ title }) => title.startsWith('the flags of'))
      .flatMap(({ explain }) => explain(`${name}: error: unknown long flag '--no-such-flag', try --help`))
      .map(({ hint }) => hint);
  const list = '--help lists the flags of this version';
  expect(hintsWith(new Map([[wrong[name].image, { ref }]]))).toEqual([`docker run --rm ${ref} ${list}`]);
  expect(hintsWith(new Map())).toEqual([`docker run --rm ${wrong[name].image} ${list}`]);
});
