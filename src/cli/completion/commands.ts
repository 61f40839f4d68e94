/** `torchts completion SHELL`, and what its scripts ask for. */

import { Argument, Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { type CommandHelp, withHelp } from '../help.ts';
import { SCRIPTS, type Shell } from './scripts.ts';

const HELP: CommandHelp = {
  examples: [
    ['torchts completion bash >> ~/.bashrc', 'complete commands, options, configs and keys'],
    ['torchts completion zsh > ~/.zfunc/_torchts', 'with ~/.zfunc in $fpath'],
    ['torchts completion fish > ~/.config/fish/completions/torchts.fish', 'for fish'],
  ],
  notes:
    'Of a config it completes the keys that its types have, and their values:\n' +
    '  torchts train my.yaml optimizer.<Tab>',
};

export function completionCommand({ io }: CommandContext): Command {
  const shell = new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS));
  const command = new Command('completion')
    .summary('print a script by which a shell completes')
    .description('Print the script by which a shell completes the command line of torchts.')
    .addArgument(shell)
    .action((name: Shell) => {
      io.stdout.write(SCRIPTS[name]);
    });
  return withHelp(command, HELP);
}

/** Prints one word a line. Shells ask while somebody types: nothing heavy is loaded. */
export function completeCommand({ io }: CommandContext): Command {
  const command = new Command('__complete')
    .argument('[words...]', 'the words of the line after torchts; the last one is being typed')
    .helpOption(false)
    .action(async (words: string[]) => {
      const { completions } = await import('./words.ts');
      const { completeKeys } = await import('./keys.ts');
      for (const word of completions(command.parent!, words, completeKeys)) {
        io.stdout.write(`${word}\n`);
      }
    });
  return command;
}
