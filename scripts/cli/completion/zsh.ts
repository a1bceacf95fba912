import type { CommandInfo, OptionInfo } from '../commands/describe.ts';
import { allCommands, type CompletionModel, spellings } from './model.ts';

/** Completion for zsh, each word with what it does. */
export function zshCompletion(model: CompletionModel): string {
  const all = allCommands(model.commands);
  const keys = all.map(({ path }) => `'/${path.replaceAll(' ', '/')}'`);
  const globals = model.globals.flatMap(described);
  const cases = all.map((command) => {
    const items = [...command.options.flatMap(described), ...globals].join(' ');
    return `    '/${command.path.replaceAll(' ', '/')}') found=(${namesAfter(command, model).join(' ')}) flags=(${items}) ;;`;
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

function namesAfter({ subcommands, args }: CommandInfo, { services }: CompletionModel): readonly string[] {
  const takesService = args.some((argument) => argument.name === 'service');
  return [...subcommands.map(named), ...(takesService ? services.map((service) => quoted(service)) : [])];
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
