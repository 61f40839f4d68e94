/** `torchts data cache CONFIG [key=value...]` */

import { Command } from 'commander';
import type { CommandContext } from './context.ts';
import { bytes, count } from './format.ts';
import { withHelp } from './help.ts';
import { type CommonOptions, withCommon } from './options.ts';
import type { CachedReport } from './services.ts';
import { reported } from './step-progress.ts';
import { resolveTarget } from './target.ts';

interface CacheOptions extends CommonOptions {
  readonly force?: boolean;
}

export function dataCacheCommand(context: CommandContext): Command {
  const command = new Command('cache')
    .summary('decode the images of a config ahead of training')
    .description(
      'Decode and prepare the images of all data sets of CONFIG that have `cache`, and keep them ' +
        'in files which training maps into memory. A file that is there is compared with its ' +
        'checksum, and made anew when it is damaged.',
    )
    .argument('<config>', 'a YAML file')
    .argument('[key=value...]', 'values over those of the config, read as YAML')
    .option('--force', 'make them anew')
    .action((target: string, overrides: string[], options: CacheOptions) =>
      cacheData(context, target, overrides, options),
    );
  const help = withHelp(command, {
    examples: [
      ['torchts data cache my.yaml', 'those that have `cache: true` in my.yaml'],
      ['torchts data cache my.yaml data.train.cache=/data/cache', 'in a folder of your own'],
    ],
    exits: ['SIGINT', 'SIGTERM'],
  });
  return withCommon(help, 'json', 'quiet');
}

async function cacheData(
  context: CommandContext,
  target: string,
  overrides: readonly string[],
  options: CacheOptions,
): Promise<void> {
  const { io, services } = context;
  const loaded = await services.loadConfig(resolveTarget(target).config, overrides);
  const { force, json } = options;
  await reported(context, options, 'cache_progress', async ({ signal, onProgress, close }) => {
    const how = { force, signal, onProgress };
    for await (const report of services.cacheData(loaded, how)) {
      close();
      io.stdout.write(
        json ? `${JSON.stringify({ event: 'cached', ...report })}\n` : `${line(report)}\n`,
      );
    }
  });
}

function line({ key, images, bytes: size, path, made }: CachedReport): string {
  const already = made ? '' : ', which was there already';
  return `${key}: ${count(images)} images, ${bytes(size)} in ${path}${already}`;
}
