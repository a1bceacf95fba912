import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CheckReport,
  githubCommands,
  junit,
  markdown,
  sarif,
} from '../../../../scripts/cli/print/check-formats.ts';
import type { Diagnostic } from '../../../../stack/diagnostic.ts';

const where = (file: string, line: number, column: number, length = 3) => ({ file, line, column, length, offset: 0 });

const mistake: Diagnostic = {
  severity: 'error',
  code: 'unknown-key',
  message: 'unknown key "a,b:c" 100%',
  hint: 'did you mean <x> | `y`?\nor z',
  where: where('stack.yml', 3, 5),
  related: [{ where: where('../other.yml', 1, 1), message: 'first here' }],
};
const warning: Diagnostic = {
  severity: 'warning',
  code: 'odd',
  message: 'odd\u0000 one',
  where: where('a b/ü.yml', 2, 1),
};
const note: Diagnostic = { severity: 'note', code: 'nobody', message: 'nobody is notified' };

const report = (more: Partial<CheckReport> = {}): CheckReport => ({
  ...{ diagnostics: [mistake, warning, note], strict: false, verdict: '1 problem', services: ['prometheus', 'sink'] },
  ...{ missingTools: [], stackFile: 'stack.yml', cwd: '/repo/mon', root: '/repo', ...more },
});

/** The attributes and parents of the elements that the schema of Jenkins, junit-4.xsd, has. */
const junitElements: Readonly<Record<string, { readonly parent: string; readonly attributes: readonly string[] }>> = {
  testsuites: { parent: '', attributes: ['name', 'time', 'tests', 'failures', 'disabled', 'errors'] },
  testsuite: {
    parent: 'testsuites',
    attributes: [
      'name',
      'tests',
      'failures',
      'errors',
      'time',
      'disabled',
      'skipped',
      'timestamp',
      'hostname',
      'id',
      'package',
    ],
  },
  testcase: { parent: 'testsuite', attributes: ['name', 'assertions', 'time', 'classname', 'status'] },
  failure: { parent: 'testcase', attributes: ['type', 'message'] },
  skipped: { parent: 'testcase', attributes: [] },
  'system-out': { parent: 'testcase', attributes: [] },
};

/** What is no XML, or not in the schema. */
function junitProblems(document: string): readonly string[] {
  const problems: string[] = [];
  const open: string[] = [];
  const rest = document
    .replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>/, '')
    .replaceAll(/<(\/?)([\w-]+)((?: [\w-]+="[^"<]*")*)(\/?)>/g, (_, end, name, attributes, isEmpty) => {
      if (end === '/') {
        if (open.pop() !== name) problems.push(`</${name}> ends another element`);
        return '';
      }
      const { parent, attributes: known = [] } = junitElements[name] ?? {};
      if (parent !== (open.at(-1) ?? '')) problems.push(`<${name}> in <${open.at(-1)}>`);
      const used = [...attributes.matchAll(/ ([\w-]+)="/g)].map(([, attribute]) => attribute ?? '');
      problems.push(
        ...used.filter((attribute) => !known.includes(attribute)).map((attribute) => `${name}.${attribute}`),
      );
      if (isEmpty === '') open.push(name);
      return attributes;
    });
  const wrong = /[<]|&(?!(?:amp|lt|gt|quot|#10);)|[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(rest);
  if (wrong !== null) problems.push(`not XML: ${JSON.stringify(wrong[0])}`);
  return [...problems, ...open.map((name) => `<${name}> does not end`)];
}

describe('the result of check', () => {
  it('must become annotations of GitHub, of which no text ends early', () => {
    expect(githubCommands(report())).toBe(
      [
        '::error file=mon/stack.yml,line=3,col=5,endColumn=8,title=unknown-key::unknown key "a,b:c" 100%25%0Adid you mean <x> | `y`?%0Aor z',
        '::warning file=mon/a b/ü.yml,line=2,col=1,endColumn=4,title=odd::odd\u0000 one',
        '::notice title=nobody::nobody is notified',
        '1 problem\n',
      ].join('\n'),
    );
    expect(githubCommands(report({ strict: true }))).toContain('::error file=mon/a b/ü.yml,');
    const odd = { ...mistake, where: where('a,b:c%.yml', 1, 1) };
    expect(githubCommands(report({ diagnostics: [odd] }))).toContain('file=mon/a%2Cb%3Ac%25.yml,line=1');
  });

  it('must become SARIF with a place for each result', () => {
    const { version, runs } = JSON.parse(sarif(report({ missingTools: ['promtool'] })));
    expect(version).toBe('2.1.0');
    const [{ results, tool, invocations }] = runs;
    expect(tool.driver.rules).toEqual([{ id: 'nobody' }, { id: 'odd' }, { id: 'unknown-key' }]);
    expect(results.map(({ level }: { level: string }) => level)).toEqual(['error', 'warning', 'note']);
    const [first] = results;
    expect(first.locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'mon/stack.yml', uriBaseId: '%SRCROOT%' },
      region: { startLine: 3, startColumn: 5, endColumn: 8 },
    });
    expect(first.ruleIndex).toBe(2);
    expect(first.relatedLocations[0].physicalLocation.artifactLocation.uri).toBe('other.yml');
    expect(results[1].locations[0].physicalLocation.artifactLocation.uri).toBe('mon/a%20b/%C3%BC.yml');
    expect(results[2].locations[0].physicalLocation.region).toEqual({ startLine: 1 });
    expect(invocations[0].executionSuccessful).toBe(false);
    const outside = JSON.parse(
      sarif(report({ root: '/repo/mon', diagnostics: [{ ...warning, where: where('/x/y.yml', 1, 1) }] })),
    );
    expect(outside.runs[0].results[0].locations[0].physicalLocation.artifactLocation).toEqual({
      uri: 'file:///x/y.yml',
    });
  });

  it('must become XML for JUnit, in which only what fails the check fails', () => {
    const text = junit(report({ missingTools: ['amtool'] }));
    expect(text).toContain('<testsuites tests="6" failures="1" errors="0" time="0">');
    expect(text).toContain('<testcase classname="promstack.render" name="prometheus" time="0"/>');
    expect(text).toContain(
      '<failure type="unknown-key" message="unknown key &quot;a,b:c&quot; 100%">mon/stack.yml:3:5 unknown key &quot;a,b:c&quot; 100%&#10;did you mean &lt;x&gt; | `y`?&#10;or z</failure>',
    );
    // XML has no such character.
    expect(text).toContain('<system-out>warning: mon/a b/ü.yml:2:1 odd one</system-out>');
    expect(text).toContain(
      '<testcase classname="promstack.tools" name="amtool" time="0"><skipped>no image, no tools</skipped></testcase>',
    );
    expect(junit(report({ strict: true }))).toContain('failures="2"');
  });

  it('must be XML that programs with the schema of Jenkins read, whatever texts and files have', () => {
    const odd = fc.string({
      unit: fc.oneof(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        fc.constantFrom(...'<>&"\'\n]]>\u0000'),
      ),
    });
    const anyReport = fc.record({
      message: odd,
      hint: fc.option(odd, { nil: undefined }),
      file: odd,
      severity: fc.constantFrom('error', 'warning', 'note'),
    });
    fc.assert(
      fc.property(fc.array(anyReport, { maxLength: 3 }), fc.array(odd, { maxLength: 2 }), (problems, missingTools) => {
        const diagnostics = problems.map(({ message, hint, file, severity }) => {
          return { ...mistake, severity: severity as Diagnostic['severity'], message, hint, where: where(file, 1, 1) };
        });
        expect(junitProblems(junit(report({ diagnostics, missingTools })))).toEqual([]);
      }),
      { seed: 20_260_101, numRuns: 100 },
    );
    expect(junitProblems('<testsuites skipped="1"><testcase name="a"></testsuites>')).toHaveLength(4);
  });

  it('must become a table in Markdown, whose cells no text leaves', () => {
    expect(markdown(report())).toBe(
      [
        '### ❌ promstack check\n',
        '1 problem\n',
        '|  | place | problem |',
        '| --- | --- | --- |',
        '| error | `stack.yml:3` | unknown key "a,b:c" 100%<br>did you mean &lt;x\\> \\| \\`y\\`?<br>or z |',
        '| warning | `a b/ü.yml:2` | odd\u0000 one |',
        '| note |  | nobody is notified |\n',
      ].join('\n'),
    );
    expect(markdown(report({ diagnostics: [note] }))).toContain('### ✅ promstack check');
    expect(markdown(report({ diagnostics: Array(60).fill(warning) }))).toContain('… and 10 more.');
  });
});
