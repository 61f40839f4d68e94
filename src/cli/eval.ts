/** `torchts eval RUN|CONFIG` */

import { Command } from 'commander';
import { keyOf, splitsCalled } from '../config/splits.ts';
import type { CommandContext } from './context.ts';
import { count, duration, metricValue } from './format.ts';
import { type CommandHelp, withHelp } from './help.ts';
import { type CommonOptions, checkpointOption, overridesOf, withCommon } from './options.ts';
import type { EvaluateResult } from './services.ts';
import { checkpointCalled, resolveWeightsTarget } from './target.ts';

interface EvalOptions extends CommonOptions {
  readonly out: string;
  readonly checkpoint?: string;
  readonly split: string;
  readonly ema: boolean;
}

const HELP: CommandHelp = {
  examples: [
    ['torchts eval runs/cifar10-cnn', 'the best checkpoint of the newest run, on data.val'],
    ['torchts eval runs/cifar10-cnn/3 --checkpoint last', 'the last checkpoint of run 3'],
    ['torchts eval runs/cifar10-cnn --split test', 'on data.test of the config'],
    [
      'torchts eval my.yaml --checkpoint runs/cifar10-cnn/3/checkpoints/step-500',
      'a config of its own, with the weights of a checkpoint',
    ],
  ],
};

export function evalCommand(context: CommandContext): Command {
  const command = new Command('eval')
    .summary('measure a trained model')
    .description(
      'Measure the loss and the accuracy of a checkpoint of RUN; given a CONFIG, of the newest ' +
        'run of that name in --out.',
    )
    .argument('<run|config>', 'the folder of a run or of a checkpoint, or a YAML file')
    .argument('[key=value...]', 'values over those of the config, read as YAML')
    .addOption(checkpointOption())
    .option('--split <split>', 'train, val (all of its sets), val_NAME or test', 'val')
    .option('--no-ema', 'the weights as trained, where their average is kept too')
    .option('--out <dir>', 'where runs are looked for', 'runs')
    .action((target: string, overrides: string[], options: EvalOptions) =>
      evaluate(context, target, overrides, options),
    );
  return withCommon(withHelp(command, HELP), 'device', 'threads', 'json');
}

async function evaluate(
  { io, services }: CommandContext,
  name: string,
  overrides: readonly string[],
  options: EvalOptions,
): Promise<void> {
  const target = resolveWeightsTarget(name);
  const loaded = await services.loadConfig(target.config, overridesOf(options, overrides));
  splitsCalled(options.split, loaded); // before a run is looked for
  const results = await services.evaluate({
    loaded,
    checkpoint: checkpointCalled(options.checkpoint, target, options.out, loaded.config.name),
    split: options.split,
    trained: !options.ema,
    threads: options.threads,
  });
  for (const result of results) {
    const line = options.json ? JSON.stringify({ event: 'eval', ...result }) : inWords(result);
    io.stdout.write(`${line}\n`);
  }
}

function inWords({ checkpoint, split, samples, seconds, metrics }: EvaluateResult): string {
  const measured = Object.entries(metrics).map(
    ([key, value]) => `${key} ${metricValue(key, value)}`,
  );
  return (
    `${checkpoint}: ${measured.join(', ')} over ${count(samples)} samples of ` +
    `${keyOf(split)}, in ${duration(seconds)}`
  );
}
