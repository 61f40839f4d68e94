/** `torchts data inspect` */

import { Command } from 'commander';
import { formatShape } from '../base/shape.ts';
import { shortType } from '../base/user-code.ts';
import type { CommandContext } from './context.ts';
import { count, table } from './format.ts';
import { withHelp } from './help.ts';
import { type CommonOptions, withCommon } from './options.ts';
import type { DatasetReport } from './services.ts';

interface InspectOptions extends CommonOptions {
  readonly sheet?: string;
  readonly augmented?: boolean;
}

export function inspectCommand({ io, services }: CommandContext): Command {
  const command = new Command('inspect')
    .summary('read a data set and describe it')
    .description(
      'Read the data of CONFIG, or the data set NAME, and describe it: sizes, samples of each ' +
        'class, mean and standard deviation, images that come twice.',
    )
    .argument('<config|name>', 'a YAML file, or a data set such as CIFAR10')
    .argument('[key=value...]', 'values over those of the config, read as YAML')
    .option('--sheet <file>', 'write a PNG with some training images of every class')
    .option('--augmented', 'show them as the transforms give them')
    .action(async (target: string, overrides: string[], options: InspectOptions) => {
      const { json, sheet, augmented = false } = options;
      const request = sheet === undefined ? undefined : { file: sheet, augmented };
      for (const report of await services.inspectData(target, overrides, request)) {
        io.stdout.write(
          json ? `${JSON.stringify({ event: 'dataset', ...report })}\n` : `${describe(report)}\n`,
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
      ['torchts data inspect CIFAR10 --json', 'the data set with its defaults'],
    ],
  });
  return withCommon(help, 'json');
}

function describe(report: DatasetReport): string {
  const { key, type, length, input, target } = report;
  const lines = [
    `${key}: ${shortType(type)}, ${count(length)} samples`,
    `  input   ${input.dtype} ${formatShape(input.shape)}`,
    `  target  ${target.dtype} ${formatShape(target.shape)}`,
    ...imageLines(report),
  ];
  const tables = [featureTable(report), classTable(report)].filter((text) => text !== '');
  return [...lines, ...tables.map((text) => text.replaceAll(/^/gm, '  '))].join('\n');
}

/** In the form in which Normalize takes them. */
function imageLines({ channels, duplicates = 0, blank = 0 }: DatasetReport): string[] {
  if (channels === undefined) return [];
  const list = (key: 'mean' | 'std') =>
    channels.map((channel) => channel[key].toFixed(4)).join(', ');
  return [
    `  pixels  { type: Normalize, mean: [${list('mean')}], std: [${list('std')}] }`,
    `  images  ${count(duplicates)} like one before them, ${count(blank)} of one colour`,
  ];
}

function featureTable({ features = [] }: DatasetReport): string {
  if (features.length === 0) return '';
  const rows = features.map(({ mean, std, min, max, missing }, i) => [
    String(i),
    ...[mean, std, min, max].map((value) => String(Number(value.toPrecision(4)))),
    count(missing),
  ]);
  const titles = ['feature', 'mean', 'std', 'min', 'max', 'missing'];
  return table(titles, rows, [1, 2, 3, 4, 5]);
}

function classTable({ classes, class_counts }: DatasetReport): string {
  if (classes.length === 0) return '';
  const rows = classes.map((name, i) => [
    String(i),
    name,
    class_counts === undefined ? '' : count(class_counts[i]!),
  ]);
  return table(['class', 'name', 'samples'], rows, [2]);
}
