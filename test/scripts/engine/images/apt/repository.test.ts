import { expect, test } from 'vitest';
import { reachLines } from '../../../../../scripts/engine/images/apt/repository.ts';

test("of the host's apt settings only how archives are reached must be taken over, never a hook", () => {
  const dump = `APT "";
APT::Update::Post-Invoke-Success:: "run-something";
Dir "/";
Acquire::http::Proxy "http://proxy.example.org:3128";
Acquire::Check-Date "false";
Acquire::IndexTargets::deb::DEP-11::MetaKey "x";
Acquire::Languages:: "none";
DPkg::Post-Invoke:: "run-something-else";
`;
  expect(reachLines(dump)).toEqual([
    'Acquire::http::Proxy "http://proxy.example.org:3128";',
    'Acquire::Check-Date "false";',
  ]);
});
