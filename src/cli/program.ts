/** The tree of commands with their common settings: `run` parses it, pages are made from it. */

import { Command } from 'commander';
import { version } from '../base/version.ts';
import { commands, hiddenCommands } from './commands.ts';
import type { CommandContext } from './context.ts';
import { EXIT, EXIT_MEANINGS } from './exit.ts';
import { withHelp } from './help.ts';

const NOTES = `Exit codes:
${Object.entries(EXIT_MEANINGS)
  .map(([name, meaning]) => `  ${String(EXIT[name as keyof typeof EXIT]).padStart(3)}  ${meaning}`)
  .join('\n')}

Environment:
  TORCHTS_CACHE        the folder of fetched data
  TORCHTS_NUM_THREADS  the most threads
  TORCHTS_DEBUG=1      print the stack of every error

torchts COMMAND --help tells more of a command.`;

/** The command `torchts`, ready to parse arguments; it throws where it would end the process. */
export function program(context: CommandContext): Command {
  const { io } = context;
  const torchts = new Command('torchts')
    .description('Train neural networks from a YAML file.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(text.replace(/^error: /, 'torchts: ')),
    });
  withHelp(torchts, {
    examples: [
      ['torchts train configs/cifar10-smoke.yaml', 'train on the small data set that is included'],
      ['torchts train configs/cifar10-cnn.yaml optimizer.lr=0.01', 'the same key as in the file'],
      ['torchts validate configs/cifar10-cnn.yaml', 'layers, shapes and memory, untrained'],
      ['torchts train runs/cifar10-cnn', 'go on with the newest run'],
      ['torchts eval runs/cifar10-cnn --checkpoint best', 'measure its best checkpoint'],
    ],
    notes: NOTES,
  });
  for (const add of [...commands, ...hiddenCommands]) {
    const hidden = hiddenCommands.includes(add);
    torchts.addCommand(inherit(add(context), torchts), { hidden });
  }
  return torchts;
}

/** `addCommand` leaves settings behind that `command()` would hand on. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
  return command;
}
