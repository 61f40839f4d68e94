/** `torchts report RUN` */

import { Command } from 'commander';
import { ConfigError } from '../base/errors.ts';
import type { CommandContext } from './context.ts';
import { type CommandHelp, withHelp } from './help.ts';
import { type CommonOptions, overridesOf, withCommon } from './options.ts';
import { resolveTarget } from './target.ts';

const HELP: CommandHelp = {
  examples: [
    ['torchts report runs/cifar10-cnn', 'the newest run of that name'],
    ['torchts report runs/cifar10-cnn/3 data.val.root=/data', 'its data lies elsewhere now'],
  ],
  notes:
    'Every run writes its report when it comes to rest, unless its config says\n' +
    '"report: false". This writes it again: for a run that was killed, or while it\n' +
    'trains.',
};

export function reportCommand(context: CommandContext): Command {
  const command = new Command('report')
    .summary('write report.html of a run again')
    .description(
      'Write report.html into the folder of RUN: curves, confusion matrix, sample predictions,\n' +
        'config and environment, in one file that needs no other.',
    )
    .argument('<run>', 'the folder of a run')
    .argument('[key=value...]', 'values over those of its config, read as YAML')
    .action((name: string, overrides: string[], options: CommonOptions) =>
      report(context, name, overrides, options),
    );
  return withCommon(withHelp(command, HELP), 'device', 'threads', 'json');
}

async function report(
  { io, services }: CommandContext,
  name: string,
  overrides: readonly string[],
  options: CommonOptions,
): Promise<void> {
  const { run, config } = resolveTarget(name);
  if (run === undefined) throw new ConfigError(`${name} is not the folder of a run`);
  const loaded = await services.loadConfig(config, overridesOf(options, overrides));
  const path = await services.report({ run, loaded, threads: options.threads });
  io.stdout.write(options.json ? `${JSON.stringify({ event: 'report', path })}\n` : `${path}\n`);
}
