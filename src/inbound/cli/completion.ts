import { Argument, type Command } from 'commander';
import type { CliContext } from './context.ts';

/** A word that can follow a command. */
interface Word {
  readonly text: string;
  readonly about: string;
  /** Values of an option that needs one. Without known values the shell completes names of files. */
  readonly values?: readonly string[];
}

/** A command with its place in the tree, for example `darkroom jobs list`. */
interface Place {
  readonly path: string;
  readonly words: readonly Word[];
}

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** Adds `darkroom completion`. Its script is made from the commands, so that it is always complete. */
export function addCompletion(program: Command, context: CliContext): void {
  program
    .command('completion')
    .description('print the completion script of a shell, for example: source <(darkroom completion bash)')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(shells))
    .action((shell: Shell) => context.print(scripts[shell](placesOf(program))));
}

function placesOf(command: Command, parentPath = ''): Place[] {
  const path = `${parentPath}${command.name()}`;
  const options = command.options.map(({ long, description, required, argChoices = [] }) => ({
    ...{ text: long ?? '', about: description },
    ...(required ? { values: argChoices } : {}),
  }));
  const commands = command.commands.map((each) => ({ text: each.name(), about: each.description() }));
  const choices = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((text) => ({ text, about: description })),
  );
  const words = [...commands, ...choices, ...options, { text: '--help', about: 'show the help' }];
  return [{ path, words }, ...command.commands.flatMap((each) => placesOf(each, `${path} `))];
}

/** Returns the first sentence of a description, for a line of a list. */
const shortly = (about: string) => about.split(/[;.(]/, 1)[0]?.trim() ?? '';
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const pathsOf = (places: readonly Place[]) => places.map(({ path }) => `"${path}"`).join('|');
/** Returns the cases that replace the words after an option that needs a value. */
const valueCases = (places: readonly Place[], shown: (values: readonly string[]) => string) =>
  places
    .flatMap(({ path, words }) =>
      words.flatMap(({ text, values }) =>
        values ? [`    "${path} ${text}") found=${shown(values)} ;;`] : [],
      ),
    )
    .join('\n');

const scripts: Record<Shell, (places: readonly Place[]) => string> = {
  bash: (places) => `# Completion of darkroom for bash
_darkroom() {
  local word at="darkroom" found=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
      ${pathsOf(places)}) at="$at $word" ;;
    esac
  done
  case "$at" in
${places.map(({ path, words }) => `    "${path}") found=${quoted(words.map(({ text }) => text).join(' '))} ;;`).join('\n')}
  esac
  case "$at \${COMP_WORDS[COMP_CWORD-1]}" in
${valueCases(places, (values) => quoted(values.join(' ')))}
  esac
  COMPREPLY=($(compgen -W "$found" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _darkroom darkroom`,

  zsh: (places) => `#compdef darkroom
# Completion of darkroom for zsh
_darkroom() {
  local word at="darkroom"
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      ${pathsOf(places)}) at="$at $word" ;;
    esac
  done
  case "$at" in
${places
  .map(({ path, words }) => {
    const entries = words.map(({ text, about }) =>
      quoted(`${text}:${shortly(about).replaceAll(':', '\\:')}`),
    );
    return `    "${path}") found=(${entries.join(' ')}) ;;`;
  })
  .join('\n')}
  esac
  case "$at \${words[CURRENT-1]}" in
${valueCases(places, (values) => `(${values.join(' ')})`)}
  esac
  _describe darkroom found || _files
}
if [ "$funcstack[1]" = _darkroom ]; then _darkroom "$@"; else compdef _darkroom darkroom; fi`,

  fish: (places) => `# Completion of darkroom for fish
function __darkroom_at
  set -l at darkroom
  for word in (commandline -opc)[2..]
    switch "$at $word"
      case ${places.map(({ path }) => quoted(path)).join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${places
  .flatMap(({ path, words }) =>
    words.map(({ text, about, values }) => {
      const known = values?.length ? ` -f -a ${quoted(values.join(' '))}` : '';
      const value = values ? ` -r${known}` : '';
      const word = text.startsWith('--') ? `-l ${text.slice(2)}${value}` : `-a ${text}`;
      return `complete -c darkroom -n ${quoted(`__darkroom_at "${path}"`)} ${word} -d ${quoted(shortly(about))}`;
    }),
  )
  .join('\n')}`,
};
