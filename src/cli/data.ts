/** `torchts data fetch|list|inspect` */

import { Command } from 'commander';
import { formatShape } from '../base/shape.ts';
import { shortType } from '../base/user-code.ts';
import type { CommandContext } from './context.ts';
import { fetchCommand } from './data-fetch.ts';
import { count, table } from './format.ts';
import { withHelp } from './help.ts';
import type { InstalledData } from './installed-data.ts';
import { type CommonOptions, withCommon } from './options.ts';
import type { DatasetReport } from './services.ts';

export function dataCommand(context: CommandContext): Command {
  const data = new Command('data').description('fetch, list and inspect data sets');
  data.addCommand(fetchCommand(context));
  data.addCommand(listCommand(context));
  data.addCommand(inspectCommand(context));
  return withHelp(data, {
    examples: [
      ['torchts data list', 'which data sets are here'],
      ['torchts data fetch mnist', 'get one that is not'],
    ],
  });
}

function listCommand({ io }: CommandContext): Command {
  const command = new Command('list')
    .summary('show which data sets are here')
    .description('Show which data sets are on this machine, and how to get the others.')
    .action(async ({ json }: CommonOptions) => {
      const { installedData } = await import('./installed-data.ts');
      const all = installedData();
      if (json) {
        io.stdout.write(`${JSON.stringify({ event: 'datasets', datasets: all })}\n`);
        return;
      }
      const rows = all.map((data) => [
        data.type,
        data.description,
        data.root,
        count(data.train),
        count(data.test),
        where(data),
      ]);
      const titles = ['type', '', 'root', 'train', 'test', 'where'];
      io.stdout.write(`${table(titles, rows, [3, 4])}\n`);
    });
  const help = withHelp(command, {
    examples: [['torchts data list', 'the data sets, their folders and sizes']],
  });
  return withCommon(help, 'json');
}

function where({ folder, missing, fix }: InstalledData): string {
  if (missing === undefined) return folder;
  return fix === undefined ? missing : `${missing}; run: ${fix}`;
}

function inspectCommand({ io, services }: CommandContext): Command {
  const command = new Command('inspect')
    .summary('read a data set and describe it')
    .description('Read the data of CONFIG, or the data set NAME, and describe it.')
    .argument('<config|name>', 'a YAML file, or a data set such as CIFAR10')
    .argument('[key=value...]', 'values over those of the config, read as YAML')
    .action(async (target: string, overrides: string[], { json }: CommonOptions) => {
      for (const report of await services.inspectData(target, overrides)) {
        io.stdout.write(
          json ? `${JSON.stringify({ event: 'dataset', ...report })}\n` : `${describe(report)}\n`,
        );
      }
    });
  const help = withHelp(command, {
    examples: [
      ['torchts data inspect configs/cifar10-smoke.yaml', 'what the config trains on'],
      ['torchts data inspect CIFAR10 --json', 'the data set with its defaults'],
    ],
  });
  return withCommon(help, 'json');
}

function describe({ key, type, length, input, target, classes, class_counts }: DatasetReport) {
  const lines = [
    `${key}: ${shortType(type)}, ${count(length)} samples`,
    `  input   ${input.dtype} ${formatShape(input.shape)}`,
    `  target  ${target.dtype} ${formatShape(target.shape)}`,
  ];
  if (classes.length === 0) return lines.join('\n');
  const rows = classes.map((name, i) => [
    String(i),
    name,
    class_counts === undefined ? '' : count(class_counts[i]!),
  ]);
  const counts = table(['class', 'name', 'samples'], rows, [2]);
  return [...lines, counts.replaceAll(/^/gm, '  ')].join('\n');
}
