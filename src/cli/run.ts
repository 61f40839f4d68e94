/** The `torchts` command line: what `main.ts` runs, and tests run in their own process. */

import { CommanderError } from 'commander';
import type { CommandContext } from './context.ts';
import { EXIT, report } from './exit.ts';
import type { Io } from './io.ts';
import { program } from './program.ts';
import { services as allServices, type Services } from './services.ts';

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
