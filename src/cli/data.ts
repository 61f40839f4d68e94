/** `torchts data fetch|list|inspect|cache|bench` */

import { Command } from 'commander';
import type { CommandContext } from './context.ts';
import { dataBenchCommand } from './data-bench.ts';
import { dataCacheCommand } from './data-cache.ts';
import { fetchCommand } from './data-fetch.ts';
import { inspectCommand } from './data-inspect.ts';
import { count, table } from './format.ts';
import { withHelp } from './help.ts';
import type { InstalledData } from './installed-data.ts';
import { type CommonOptions, withCommon } from './options.ts';

export function dataCommand(context: CommandContext): Command {
  const data = new Command('data').description('fetch, list, inspect, cache and time data sets');
  data.addCommand(fetchCommand(context));
  data.addCommand(listCommand(context));
  data.addCommand(inspectCommand(context));
  data.addCommand(dataCacheCommand(context));
  data.addCommand(dataBenchCommand(context));
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
