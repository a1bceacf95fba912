import { Argument } from '@commander-js/extra-typings';
import * as z from 'zod';
import { exporters } from '../../../stack/exporters/exporters.ts';
import { services } from '../../../stack/services.ts';
import { exitCodes } from '../context.ts';
import { type Command, defineCommand, type Entry } from './command.ts';
import { allCommands, type CommandInfo, describeCommands, type OptionInfo } from './describe.ts';

/** The command `completion`; it needs the list of all commands. */
export const completionOf = (entries: readonly Entry[]): Command =>
  defineCommand({
    examples: [
      { line: 'completion bash >> ~/.bashrc', what: 'enable it in new bash sessions' },
      { line: 'completion zsh >> ~/.zshrc', what: 'enable it in new zsh sessions, after compinit' },
      { line: 'completion fish > ~/.config/fish/completions/promstack.fish', what: 'enable it in new fish sessions' },
    ],
    syntax: (command) =>
      command.addArgument(new Argument('<shell>', 'shell to complete for').choices(['bash', 'zsh', 'fish'] as const)),
    json: () => z.strictObject({ script: z.string() }),
    run: async (context, _options, [shell]) => {
      const described = await describeCommands(entries);
      const script = scripts[shell]({
        ...described,
        services: [...services.map(({ name }) => name), ...exporters.map(({ kind }) => kind)],
      });
      context.result({ script });
      context.stdout.write(script);
      return exitCodes.fine;
    },
  });

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

interface CompletionModel {
  readonly commands: readonly CommandInfo[];
  readonly globals: readonly OptionInfo[];
  /** For arguments named `service`. */
  readonly services: readonly string[];
}

/** What a value can be: a file, one of some words, or what a command prints. */
type Values =
  | { readonly kind: 'files' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'output'; readonly command: string };

/** By what a value is called in the help; values of other names are not completed. */
function valuesOf(name: string | undefined, { services }: CompletionModel): Values | undefined {
  if (name === undefined) return undefined;
  if (['path', 'file', 'folder', 'archive'].includes(name)) return { kind: 'files' };
  if (name === 'service') return { kind: 'words', words: services };
  const [list, key] = { revision: ['history', 'revision'], id: ['silence list', 'id'] }[name] ?? [];
  if (list === undefined) return undefined;
  const command = `promstack ${list} --json 2>/dev/null | grep -o "\\"${key}\\":\\"[^\\"]*" | cut -d "\\"" -f 4 | sort -u`;
  return { kind: 'output', command };
}

/** The values of the arguments of a command. */
function argumentsOf({ args }: CommandInfo, model: CompletionModel): readonly Values[] {
  return args.flatMap(({ name, choices }) => {
    const values: Values | undefined = choices.length > 0 ? { kind: 'words', words: choices } : valuesOf(name, model);
    return values === undefined ? [] : [values];
  });
}

/** The options that take a value, once for all commands: one name never takes two kinds of values. */
function valueOptions(
  model: CompletionModel,
): readonly { readonly names: readonly string[]; readonly values: Values | undefined }[] {
  const all = [...model.globals, ...allCommands(model.commands).flatMap(({ options }) => options)];
  const options = new Map(all.filter(({ takesValue }) => takesValue).map((option) => [option.long, option]));
  return [...options.values()].map((option) => ({ names: spellings(option), values: valuesOf(option.value, model) }));
}

/** Options of a command that take no value, though another one of the same name does: `-f` of `logs`. As `/logs -f`. */
function flagsLikeValueOptions(model: CompletionModel): readonly string[] {
  const names = new Set(valueOptions(model).flatMap((option) => option.names));
  return allCommands(model.commands).flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => !takesValue)
      .flatMap(spellings)
      .filter((name) => names.has(name))
      .map((name) => `/${path.replaceAll(' ', '/')} ${name}`),
  );
}

/** The patterns of a shell's `case` for an option in any command. */
function anywhere(names: readonly string[]): string {
  return names.map((name) => `*' ${name}'`).join(' | ');
}

/** Subcommands, and values that are known words. */
function wordsAfter(command: CommandInfo, model: CompletionModel): readonly string[] {
  const below = command.subcommands.map((child) => child.path.split(' ').at(-1) ?? '');
  return [...below, ...argumentsOf(command, model).flatMap((values) => (values.kind === 'words' ? values.words : []))];
}

function outputsAfter(command: CommandInfo, model: CompletionModel): readonly string[] {
  return argumentsOf(command, model).flatMap((values) => (values.kind === 'output' ? [values.command] : []));
}

/** `-n`, `--tail`. */
function spellings({ short, long }: OptionInfo): readonly string[] {
  return short === undefined ? [long] : [short, long];
}

/** Words with descriptions. */
export function fishCompletion(model: CompletionModel): string {
  const names = model.commands.map(({ path }) => path).join(' ');
  const top = model.commands.map(({ path, summary }) => line('__fish_use_subcommand', `-a ${path}`, summary));
  const below = allCommands(model.commands).flatMap((command) => {
    const on = seen(command);
    const words = argumentsOf(command, model).flatMap((values) =>
      values.kind === 'words' ? [values.words.join(' ')] : values.kind === 'output' ? [`(${values.command})`] : [],
    );
    return [
      ...command.subcommands.map((child) => {
        const name = child.path.split(' ').at(-1) ?? '';
        return line(
          `${on}; and not __fish_seen_subcommand_from ${command.subcommands.map((sub) => sub.path.split(' ').at(-1)).join(' ')}`,
          `-a ${name}`,
          child.summary,
        );
      }),
      ...words.map((list) => line(on, `-x -a '${list}'`, command.args[0]?.name ?? '')),
      ...command.options.map((option) => line(on, flags(option, model), option.what)),
    ];
  });
  return `# fish completion for promstack; load it with: promstack completion fish | source
# commands: ${names}
${[...top, ...model.globals.map((option) => line('true', flags(option, model), option.what)), ...below].join('\n')}
`;
}

function seen({ path }: CommandInfo): string {
  return path
    .split(' ')
    .map((name) => `__fish_seen_subcommand_from ${name}`)
    .join('; and ');
}

function flags({ short, long, takesValue, value }: OptionInfo, model: CompletionModel): string {
  const names = `${short === undefined ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}`;
  if (!takesValue) return names;
  const values = valuesOf(value, model);
  if (values?.kind === 'files') return `${names} -r -F`;
  return `${names} -x${values?.kind === 'words' ? ` -a '${values.words.join(' ')}'` : ''}`;
}

function line(condition: string, what: string, description: string): string {
  return `complete -c promstack -n '${condition}' ${what} -d '${description.replaceAll("'", "\\'")}'`;
}

/** Bash 4 or later. */
export function bashCompletion(model: CompletionModel): string {
  const all = allCommands(model.commands);
  const keys = all.map(({ path }) => `'/${path.replaceAll(' ', '/')}'`);
  const globals = model.globals.flatMap(spellings);
  const cases = all.map((command) => {
    const options = [...command.options.flatMap(spellings), ...globals].join(' ');
    const outputs = outputsAfter(command, model).map((output) => ` words="$words $(${output})"`);
    return `    '/${command.path.replaceAll(' ', '/')}') words='${wordsAfter(command, model).join(' ')}' options='${options}'${outputs.join('')} ;;`;
  });
  const values = valueOptions(model).map(({ names, values: known }) => {
    // Without a word the shell completes files.
    const reply =
      known?.kind === 'words'
        ? `mapfile -t COMPREPLY < <(compgen -W '${known.words.join(' ')}' -- "$current")`
        : known === undefined
          ? 'compopt +o default 2>/dev/null'
          : ':';
    return `    ${anywhere(names)}) ${reply}; return ;;`;
  });
  return `# bash completion for promstack; load it with: source <(promstack completion bash)
_promstack() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at='' word words='' options=''
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at/$word" in
      ${keys.join(' | ')}) at="$at/$word" ;;
    esac
  done
  case "$at \${COMP_WORDS[COMP_CWORD-1]}" in
${[...flagsLikeValueOptions(model).map((name) => `    '${name}') ;;`), ...values].join('\n')}
  esac
  case "$at" in
    '') words='${model.commands.map(({ path }) => path).join(' ')}' options='${globals.join(' ')}' ;;
${cases.join('\n')}
  esac
  case "$current" in
    -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
  esac
}
complete -o default -F _promstack promstack
`;
}

/** Words with descriptions. */
export function zshCompletion(model: CompletionModel): string {
  const all = allCommands(model.commands);
  const keys = all.map(({ path }) => `'/${path.replaceAll(' ', '/')}'`);
  const globals = model.globals.flatMap(described);
  const cases = all.map((command) => {
    const items = [...command.options.flatMap(described), ...globals].join(' ');
    const outputs = outputsAfter(command, model).map((output) => ` \${(f)"$(${output})"}`);
    return `    '/${command.path.replaceAll(' ', '/')}') found=(${namesAfter(command, model).join(' ')}${outputs.join('')}) flags=(${items}) ;;`;
  });
  const values = valueOptions(model).map(({ names, values: known }) => {
    const reply =
      known?.kind === 'words' ? `compadd -- ${known.words.join(' ')}` : known === undefined ? ':' : '_files';
    return `    ${anywhere(names)}) ${reply}; return ;;`;
  });
  return `#compdef promstack
# zsh completion for promstack; load it with: source <(promstack completion zsh)
_promstack() {
  local at='' word
  local -a found flags
  for word in \${words[2,CURRENT-1]}; do
    case "$at/$word" in
      ${keys.join(' | ')}) at="$at/$word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${[...flagsLikeValueOptions(model).map((name) => `    '${name}') ;;`), ...values].join('\n')}
  esac
  case "$at" in
    '') found=(${model.commands.map(named).join(' ')}) flags=(${globals.join(' ')}) ;;
${cases.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe 'option' flags
  else
    (( $#found )) && _describe 'word' found
    _files
  fi
}
compdef _promstack promstack
`;
}

function namesAfter(command: CommandInfo, model: CompletionModel): readonly string[] {
  const words = argumentsOf(command, model).flatMap((values) => (values.kind === 'words' ? values.words : []));
  return [...command.subcommands.map(named), ...words.map(quoted)];
}

function named({ path, summary }: CommandInfo): string {
  return quoted(`${path.split(' ').at(-1)}:${summary}`);
}

function described(option: OptionInfo): readonly string[] {
  return spellings(option).map((spelling) => quoted(`${spelling}:${option.what}`));
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
