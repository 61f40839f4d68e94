/** `torchts diff A B` */

import { Command } from 'commander';
import { ConfigError } from '../base/errors.ts';
import type { Difference, Plain, RunDiff } from '../train/run/run-diff.ts';
import type { CommandContext } from './context.ts';
import { duration, metricValue, table } from './format.ts';
import { type CommandHelp, withHelp } from './help.ts';
import { type CommonOptions, withCommon } from './options.ts';
import { resolveTarget } from './target.ts';

const HELP: CommandHelp = {
  examples: [
    ['torchts diff runs/cifar10-cnn/3 runs/cifar10-cnn/4', 'two runs of one name'],
    ['torchts diff runs/cifar10-cnn runs/cifar10-resnet', 'the newest run of each name'],
  ],
};

export function diffCommand(context: CommandContext): Command {
  const command = new Command('diff')
    .summary('compare two runs')
    .description(
      'Show what differs between the configs of two runs and where they ran, and their metrics\n' +
        'side by side.',
    )
    .argument('<a>', 'the folder of a run')
    .argument('<b>', 'the folder of another')
    .action((a: string, b: string, options: CommonOptions) => diff(context, a, b, options));
  return withCommon(withHelp(command, HELP), 'json');
}

async function diff(
  { io }: CommandContext,
  a: string,
  b: string,
  options: CommonOptions,
): Promise<void> {
  const { diffRuns, shortNames } = await import('../train/run/run-diff.ts');
  const runs: [string, string] = [runOf(a), runOf(b)];
  const found = await diffRuns(...runs);
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ event: 'diff', a: runs[0], b: runs[1], ...found })}\n`);
  } else {
    io.stdout.write(`${describe(found, shortNames(...runs))}\n`);
  }
}

function runOf(name: string): string {
  const { run } = resolveTarget(name);
  if (run === undefined) throw new ConfigError(`${name} is not the folder of a run`);
  return run;
}

function describe({ config, metrics, environment }: RunDiff, names: [string, string]): string {
  return [
    section('config', config, names, shown),
    section('metrics', metrics, names, shownMetric),
    section('environment', environment, names, shown),
  ].join('\n\n');
}

type Show = (value: Plain | undefined, key: string) => string;

function section(
  title: string,
  differences: readonly Difference[],
  names: [string, string],
  show: Show,
): string {
  if (differences.length === 0) return `${title}: no difference`;
  const rows = differences.map(({ key, a, b }) => [key, show(a, key), show(b, key)]);
  return table([title, ...names], rows);
}

const MOST_CHARACTERS = 60;

function shown(value: Plain | undefined): string {
  if (value === undefined) return '-';
  const text = String(value);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 3)}...` : text;
}

function shownMetric(value: Plain | undefined, key: string): string {
  if (typeof value !== 'number') return shown(value);
  if (key === 'seconds') return duration(value);
  return key === 'step' || key === 'best.step' ? String(value) : metricValue(key, value);
}
