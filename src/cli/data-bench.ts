/** `torchts data bench CONFIG [key=value...]` */

import { Command } from 'commander';
import type { CommandContext } from './context.ts';
import { count } from './format.ts';
import { withHelp } from './help.ts';
import { type CommonOptions, overridesOf, positiveInteger, withCommon } from './options.ts';
import { resolveTarget } from './target.ts';

interface BenchOptions extends CommonOptions {
  readonly seconds: number;
}

export function dataBenchCommand({ io, services }: CommandContext): Command {
  const command = new Command('bench')
    .summary('time making batches, without training')
    .description(
      'Make batches of the training data of CONFIG, as training would, and say how many samples a ' +
        'second that gives. Beside the step of `torchts bench`, it shows which of the two waits.',
    )
    .argument('<config>', 'a YAML file')
    .argument('[key=value...]', 'values over those of the config, read as YAML')
    .option('--seconds <n>', 'how long', positiveInteger, 3)
    .action(async (target: string, overrides: string[], options: BenchOptions) => {
      const { config } = resolveTarget(target);
      const loaded = await services.loadConfig(config, overridesOf(options, overrides));
      const report = await services.benchData({ loaded, seconds: options.seconds });
      if (options.json) {
        io.stdout.write(`${JSON.stringify({ event: 'data_bench', ...report })}\n`);
        return;
      }
      const { samples, batch_size, load_seconds, open_seconds, ahead } = report;
      const lines = [
        `${report.name}: ${count(samples)} samples in batches of ${count(batch_size)}`,
        `  read     ${load_seconds.toFixed(2)} s, and ${open_seconds.toFixed(2)} s into the engine`,
        `  batches  ${count(Math.round(report.samples_per_second))} samples/s, ` +
          `${report.ms_per_batch.toFixed(3)} ms a batch, made ${ahead ? 'ahead' : 'when asked for'}`,
      ];
      io.stdout.write(`${lines.join('\n')}\n`);
    });
  const help = withHelp(command, {
    examples: [
      ['torchts data bench configs/cifar10-cnn.yaml', 'samples a second, with its transforms'],
      ['torchts data bench configs/cifar10-cnn.yaml data.batch_size=256', 'in larger batches'],
    ],
  });
  return withCommon(help, 'seed', 'json');
}
