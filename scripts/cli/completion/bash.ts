import { allCommands, type CompletionModel, spellings, wordsAfter } from './model.ts';

/** Completion for bash 4 and later: options of the command at hand, commands, services, and files everywhere else. */
export function bashCompletion(model: CompletionModel): string {
  const all = allCommands(model.commands);
  const keys = all.map(({ path }) => `'/${path.replaceAll(' ', '/')}'`);
  const globals = model.globals.flatMap(spellings);
  const cases = all.map((command) => {
    const options = [...command.options.flatMap(spellings), ...globals].join(' ');
    return `    '/${command.path.replaceAll(' ', '/')}') words='${wordsAfter(command, model).join(' ')}' options='${options}' ;;`;
  });
  return `# bash completion for promstack; load it with: source <(promstack completion bash)
_promstack() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at='' word words='' options=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at/$word" in
      ${keys.join(' | ')}) at="$at/$word" ;;
    esac
  done
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
