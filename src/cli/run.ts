/** The `torchts` command line: what `main.ts` runs, and tests run in their own process. */

import { Command, CommanderError } from 'commander';
import { version } from '../base/version.ts';
import { type CommandContext, commands } from './commands.ts';
import { EXIT, report } from './exit.ts';
import type { Io } from './io.ts';
import { services as allServices, type Services } from './services.ts';

const EXAMPLES = `
Examples:
  torchts train configs/cifar10-smoke.yaml            train on the small data set that is included
  torchts train configs/cifar10-cnn.yaml optimizer.lr=0.01 trainer.epochs=5
  torchts validate configs/cifar10-cnn.yaml           layers, shapes and memory, without training
  torchts train runs/cifar10-cnn                      go on with the newest run
  torchts eval runs/cifar10-cnn --checkpoint best
  torchts doctor                                      what the engine found on this machine

Exit codes: ${EXIT.done} done; ${EXIT.failed} failed while running; ${EXIT.usage} the config or the command line is wrong;
${EXIT.unmet} an "expect:" was not met; ${EXIT.SIGINT} / ${EXIT.SIGTERM} stopped by SIGINT / SIGTERM after a checkpoint was written.

Environment: TORCHTS_CACHE is the folder of fetched data, TORCHTS_NUM_THREADS the most threads;
TORCHTS_DEBUG=1 prints the stack of every error.`;

/**
 * Runs one command.
 *
 * @param argv the arguments after `torchts`.
 * @returns the exit code; never throws.
 */
export async function run(
  argv: readonly string[],
  io: Io,
  services: Services = allServices,
): Promise<number> {
  let code: number = EXIT.done;
  const context: CommandContext = {
    io,
    services,
    finish: (result) => {
      code = result;
    },
  };
  try {
    await program(context).parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    // Commander has printed what is wrong, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return report(error, io);
  }
}

function program(context: CommandContext): Command {
  const { io } = context;
  const torchts = new Command('torchts')
    .description('Train neural networks from a YAML file.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', EXAMPLES)
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
  for (const add of commands) {
    const command = add(context);
    torchts.addCommand(inherit(command, torchts));
  }
  return torchts;
}

/** `addCommand` leaves settings behind that `command()` would hand on. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
  return command;
}
