/** `torchts data bench CONFIG [key=value...]` */

import { Command } from 'commander';
import type { DataBenchReport, StepReport } from '../train/data-bench.ts';
import type { CommandContext } from './context.ts';
import { count, table } from './format.ts';
import { withHelp } from './help.ts';
import { type CommonOptions, overridesOf, positiveInteger, withCommon } from './options.ts';
import { resolveTarget } from './target.ts';

interface BenchOptions extends CommonOptions {
  readonly seconds: number;
  readonly step?: boolean;
}

export function dataBenchCommand({ io, services }: CommandContext): Command {
  const command = new Command('bench')
    .summary('time making batches, without training')
    .description(
      'Make batches of the training data of CONFIG, as training would, and say how many samples a ' +
        'second that gives, and what each part of a batch takes by itself on one thread. With ' +
        '--step the training step is timed too, to say whether it waits for its data.',
    )
    .argument('<config>', 'a YAML file')
    .argument('[key=value...]', 'values over those of the config, read as YAML')
    .option('--seconds <n>', 'how long', positiveInteger, 3)
    .option('--step', 'time the training step too, with and without its data')
    .action(async (target: string, overrides: string[], options: BenchOptions) => {
      const { config } = resolveTarget(target);
      const loaded = await services.loadConfig(config, overridesOf(options, overrides));
      const report = await services.benchData({ loaded, ...options });
      if (options.json) {
        io.stdout.write(`${JSON.stringify({ event: 'data_bench', ...report })}\n`);
        return;
      }
      io.stdout.write(`${benchText(report)}\n`);
    });
  const help = withHelp(command, {
    examples: [
      ['torchts data bench configs/cifar10-cnn.yaml', 'samples a second, with its transforms'],
      ['torchts data bench configs/cifar10-cnn.yaml data.batch_size=256', 'in larger batches'],
      ['torchts data bench configs/cifar10-cnn.yaml --step', 'does the step wait for its data?'],
    ],
  });
  return withCommon(help, 'seed', 'json');
}

const STAGES = {
  draw: 'draw what is random',
  transform: 'transform',
  gather: 'gather and normalise',
  whole: 'a batch on one thread',
};

function benchText(report: DataBenchReport): string {
  const { name, samples, batch_size, load_seconds, open_seconds, stages, ahead, step } = report;
  const rows = stages.map(({ stage, ms_per_batch, samples_per_second }) => [
    STAGES[stage],
    ms_per_batch.toFixed(3),
    Number.isFinite(samples_per_second) ? count(Math.round(samples_per_second)) : '',
  ]);
  return [
    `${name}: ${count(samples)} samples in batches of ${count(batch_size)}`,
    `  read     ${load_seconds.toFixed(2)} s, and ${open_seconds.toFixed(2)} s into the engine`,
    table(['stage', 'ms a batch', 'samples/s'], rows, [1, 2]).replaceAll(/^/gm, '  '),
    `  batches  ${count(Math.round(report.samples_per_second))} samples/s, ` +
      `${report.ms_per_batch.toFixed(3)} ms a batch, made ${ahead ? 'ahead' : 'when asked for'}`,
    ...(step ? [stepLine(step)] : []),
  ].join('\n');
}

function stepLine({ ms, samples_per_second, ms_with_data }: StepReport): string {
  const waits = Math.max(0, ms_with_data - ms);
  return (
    `  step     needs ${count(Math.round(samples_per_second))} samples/s: ${ms.toFixed(2)} ms a step, ` +
    `with its data ${ms_with_data.toFixed(2)} ms; it waits ${waits.toFixed(2)} ms`
  );
}
