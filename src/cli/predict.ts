/** `torchts predict RUN|CONFIG INPUT...` */

import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import { ConfigError } from '../base/errors.ts';
import { writeFileAtomic } from '../io/atomic.ts';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit.ts';
import { type CommandHelp, withHelp } from './help.ts';
import type { Io } from './io.ts';
import {
  type CommonOptions,
  checkpointOption,
  collected,
  overridesOf,
  positiveInteger,
  withCommon,
} from './options.ts';
import { PREDICTION_FORMATS, type PredictionFormat, predictionWriter } from './prediction-lines.ts';
import { checkpointCalled, resolveWeightsTarget } from './target.ts';

interface PredictOptions extends CommonOptions {
  readonly checkpoint?: string;
  readonly ema: boolean;
  readonly text?: readonly string[];
  readonly topk: number;
  readonly format: PredictionFormat;
  readonly out?: string;
  readonly batchSize?: number;
  readonly runs: string;
}

const HELP: CommandHelp = {
  examples: [
    ['torchts predict runs/images photo.jpg', 'the class of a picture'],
    ['torchts predict runs/images holiday/ --topk 3', 'three classes for each of a folder'],
    ['torchts predict runs/iris flowers.csv --format csv --out species.csv', 'of each row'],
    ['torchts predict runs/mail --text "Win a prize now!"', 'the class of a text'],
    ['torchts predict runs/mail mails.csv', 'of each row; of a .txt file, of each line'],
    ['torchts predict runs/images - --format json < names.txt', 'the files that are named there'],
  ],
  notes:
    'Files are prepared as those of data.val of the config, or of data.train,\n' +
    'without what is random. A file that cannot be read is named on standard error,\n' +
    'and the others are predicted; the exit code is then 1.',
};

export function predictCommand(context: CommandContext): Command {
  const command = new Command('predict')
    .summary('what a trained model says of files')
    .description(
      'Print what a checkpoint of RUN says of images, texts or the rows of tables; given a CONFIG, of ' +
        'the newest run of that name in --runs.',
    )
    .argument('<run|config>', 'the folder of a run or of a checkpoint, or a YAML file')
    .argument('[input...]', 'files, folders of files, or - for names on standard input')
    .addOption(
      new Option('--text <text>', 'a text itself, for a model of texts; may come again').argParser(
        collected,
      ),
    )
    .addOption(checkpointOption())
    .option('--no-ema', 'the weights as trained, where their average is kept too')
    .addOption(
      new Option('--topk <k>', 'how many classes, the likeliest first')
        .argParser(positiveInteger)
        .default(1),
    )
    .addOption(
      new Option('--format <format>', 'how they are printed')
        .choices(PREDICTION_FORMATS)
        .default('table'),
    )
    .option('--out <file>', 'the file they are written to, not standard output')
    .addOption(
      new Option('--batch-size <n>', 'samples computed at once').argParser(positiveInteger),
    )
    .option('--runs <dir>', 'where runs are looked for', 'runs')
    .action((target: string, inputs: string[], options: PredictOptions) =>
      predict(context, target, inputs, options),
    );
  return withCommon(withHelp(command, HELP), 'device', 'threads');
}

async function predict(
  { io, services, finish }: CommandContext,
  name: string,
  inputs: readonly string[],
  options: PredictOptions,
): Promise<void> {
  const { text: texts = [] } = options;
  if (inputs.length + texts.length === 0) {
    throw new ConfigError('name the files to predict, or give --text');
  }
  const target = resolveWeightsTarget(name);
  const loaded = await services.loadConfig(target.config, overridesOf(options, []));
  // Before anything is computed that could then not be written.
  if (options.out !== undefined) await access(dirname(options.out), constants.W_OK);
  const events = services.predict({
    loaded,
    checkpoint: checkpointCalled(options.checkpoint, target, options.runs, loaded.config.name),
    trained: !options.ema,
    inputs: named(inputs, io),
    texts,
    topk: options.topk,
    batch_size: options.batchSize,
    threads: options.threads,
  });
  const writer = predictionWriter(options.format);
  const written: string[] = [];
  const write = (text: string) => {
    if (options.out !== undefined) written.push(text);
    else if (text !== '') io.stdout.write(text);
  };
  for await (const event of events) {
    if (event.event === 'prediction') write(writer.add(event));
    else io.stderr.write(`torchts: ${event.message}\n`);
    if (event.event === 'failed') finish(EXIT.failed);
  }
  write(writer.end());
  if (options.out !== undefined) await writeFileAtomic(options.out, written.join(''));
}

/** What is named on the command line; `-` stands for the lines of standard input. */
async function* named(inputs: readonly string[], io: Io): AsyncGenerator<string, void> {
  for (const input of inputs) {
    if (input !== '-') yield input;
    else for await (const line of createInterface({ input: io.stdin })) if (line !== '') yield line;
  }
}
