/** `torchts import FILE` */

import { Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../base/errors.ts';
import { formatOf, WEIGHTS_FORMATS, type WeightsFormat } from '../train/weights/formats.ts';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit.ts';
import { printable } from './format.ts';
import { type CommandHelp, withHelp } from './help.ts';
import { importText } from './import-lines.ts';
import { type CommonOptions, collected, positiveInteger, withCommon } from './options.ts';
import { resolveTarget } from './target.ts';

interface ImportOptions extends CommonOptions {
  readonly list?: boolean;
  readonly model?: string;
  readonly numClasses?: number;
  readonly prefix?: string;
  readonly rename?: Readonly<Record<string, string>>;
  readonly exclude?: readonly string[];
  readonly out?: string;
  readonly format?: WeightsFormat;
  readonly force?: boolean;
}

const HELP: CommandHelp = {
  examples: [
    ['torchts import resnet18.pth', 'what it holds, and which model it is of'],
    ['torchts import resnet18.pth --num-classes 10', 'what a config for 10 classes says'],
    ['torchts import net.pt --model my.yaml', 'which keys do not fit the model of a config'],
    ['torchts import net.pt --prefix encoder. --out encoder.safetensors', 'a part of it'],
  ],
  notes:
    'Reads safetensors, the index of several, files of torch.save, which may be\n' +
    'checkpoints with more than the model, and the folders of checkpoints of runs.\n' +
    'Nothing in a file is executed. Where it does not fit the model of --model, the\n' +
    'exit code is 1, and nothing is written.',
};

export function importCommand(context: CommandContext): Command {
  const command = new Command('import')
    .summary('look into a file of weights, compare it with a model')
    .description(
      'Show what FILE holds and which model of the zoo it is of, or how it fits the model that is ' +
        "named, and what a config says to begin with it; write it with that model's keys.",
    )
    .argument('<file>', 'a file of weights, or the folder of a checkpoint')
    .option('--list', 'every key with its dtype and shape')
    .option('--model <model>', 'a model of the zoo, such as resnet18, a YAML file, or a run')
    .addOption(
      new Option(
        '--num-classes <n>',
        'of a model of the zoo; those of FILE unless given',
      ).argParser(positiveInteger),
    )
    .option('--prefix <text>', 'take only keys that begin with it, and take it off')
    .addOption(
      new Option(
        '--rename <from=to>',
        'what keys begin with, and what instead; repeatable',
      ).argParser(renaming),
    )
    .addOption(
      new Option('--exclude <pattern>', 'keys to leave out, such as fc.*; repeatable').argParser(
        collected,
      ),
    )
    .option('--out <file>', 'the file to write')
    .addOption(
      new Option('--format <format>', 'what is written; by the name of --out').choices(
        WEIGHTS_FORMATS,
      ),
    )
    .option('--force', 'replace a file that is there')
    .action((file: string, options: ImportOptions) => importFile(context, file, options));
  return withCommon(withHelp(command, HELP), 'json');
}

async function importFile(
  { io, services, finish }: CommandContext,
  file: string,
  { model, numClasses, out, format, list = false, json, ...options }: ImportOptions,
): Promise<void> {
  if (file === '') throw new ConfigError('name a file of weights');
  // By its form: a folder may be called as a model of the zoo.
  const isConfig = model !== undefined && /\/|\.ya?ml$/.test(model);
  const report = await services.importWeights({
    ...options,
    file,
    num_classes: numClasses,
    model: isConfig ? await services.loadConfig(resolveTarget(model).config, []) : model,
    out:
      out === undefined ? undefined : { file: out, format: formatOf(out, format, WEIGHTS_FORMATS) },
  });
  const text = json
    ? JSON.stringify({ event: 'import', ...report })
    : printable(importText(report, list));
  io.stdout.write(`${text}\n`);
  if (report.model?.asked && !report.model.fits) finish(EXIT.failed);
}

function renaming(text: string, before: Readonly<Record<string, string>> = {}) {
  const [from, to, ...more] = text.split('=');
  if (from && to !== undefined && more.length === 0) return { ...before, [from]: to };
  throw new InvalidArgumentError('It must be FROM=TO.');
}
