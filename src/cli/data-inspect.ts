/** `torchts data inspect` */

import { Command } from 'commander';
import type { CommandContext } from './context.ts';
import { datasetText } from './dataset-text.ts';
import { withHelp } from './help.ts';
import { type CommonOptions, withCommon } from './options.ts';

interface InspectOptions extends CommonOptions {
  readonly sheet?: string;
  readonly augmented?: boolean;
}

export function inspectCommand({ io, services }: CommandContext): Command {
  const command = new Command('inspect')
    .summary('read a data set and describe it')
    .description(
      'Read the data of CONFIG, or the data set NAME, and describe it: sizes, samples of each ' +
        'class, mean and standard deviation, images that come twice, columns of tables, lengths, texts.',
    )
    .argument('<config|name>', 'a YAML file, or a data set such as CIFAR10')
    .argument('[key=value...]', 'values over those of the config, or arguments of NAME')
    .option('--sheet <file>', 'write a PNG with some training images of every class')
    .option('--augmented', 'show them as the transforms give them')
    .action(async (target: string, overrides: string[], options: InspectOptions) => {
      const { json, sheet, augmented = false } = options;
      const request = sheet === undefined ? undefined : { file: sheet, augmented };
      for (const report of await services.inspectData(target, overrides, request)) {
        io.stdout.write(
          json
            ? `${JSON.stringify({ event: 'dataset', ...report })}\n`
            : `${datasetText(report)}\n`,
        );
      }
    });
  const help = withHelp(command, {
    examples: [
      ['torchts data inspect configs/cifar10-smoke.yaml', 'what the config trains on'],
      [
        'torchts data inspect configs/cifar10-smoke.yaml --sheet sheet.png --augmented',
        'with a picture of what the model sees',
      ],
      [
        'torchts data inspect CIFAR10 split=test --json',
        'a data set alone, its arguments as words',
      ],
    ],
  });
  return withCommon(help, 'json');
}
