/** `torchts ls [DIR]` */

import { Command, Option } from 'commander';
import type { RunInfo } from '../train/run/run-list.ts';
import { RUN_STATES, type RunState } from '../train/run/run-states.ts';
import type { CommandContext } from './context.ts';
import { count, date, duration, metricValue, table } from './format.ts';
import { type CommandHelp, withHelp } from './help.ts';
import { type CommonOptions, positiveInteger, withCommon } from './options.ts';

interface LsOptions extends CommonOptions {
  readonly name?: string;
  readonly state?: RunState;
  readonly sort: keyof typeof ORDERS;
  readonly reverse?: boolean;
  readonly limit?: number;
}

const HELP: CommandHelp = {
  examples: [
    ['torchts ls', 'all runs in runs/'],
    ['torchts ls runs/cifar10-cnn --sort best', 'the best run of one name last'],
    ['torchts ls --state running', 'what trains at the moment'],
    ['torchts ls --name resnet --json', 'for programs'],
  ],
  notes:
    'best is the value by which checkpoints/best was chosen. A run that is "killed"\n' +
    'ended without a word; "damaged" and "foreign" are folders without a run.',
};

/** How runs may be ordered; what has no such value comes first, away from the prompt. */
const ORDERS = {
  started: (a, b) => (a.started ?? '').localeCompare(b.started ?? ''),
  name: (a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }),
  steps: (a, b) => (a.step ?? -1) - (b.step ?? -1),
  seconds: (a, b) => (a.seconds ?? -1) - (b.seconds ?? -1),
  best: (a, b) => goodness(a) - goodness(b),
} as const satisfies Record<string, (a: RunInfo, b: RunInfo) => number>;

function goodness({ best }: RunInfo): number {
  if (best === null) return Number.NEGATIVE_INFINITY;
  return best.mode === 'max' ? best.value : -best.value;
}

export function lsCommand(context: CommandContext): Command {
  const command = new Command('ls')
    .summary('list runs')
    .description('List the runs in DIR and below it, the newest one last.')
    .argument('[dir]', 'a folder of runs', 'runs')
    .option('--name <text>', 'only runs with this in their path')
    .addOption(new Option('--state <state>', 'only runs in this state').choices(RUN_STATES))
    .addOption(
      new Option('--sort <key>', 'the best, longest, ... one last')
        .choices(Object.keys(ORDERS))
        .default('started'),
    )
    .option('--reverse', 'the other way round')
    .option('--limit <n>', 'only the last n of them', positiveInteger)
    .action((folder: string, options: LsOptions) => ls(context, folder, options));
  return withCommon(withHelp(command, HELP), 'json');
}

async function ls({ io }: CommandContext, folder: string, options: LsOptions): Promise<void> {
  const { listRuns } = await import('../train/run/run-list.ts');
  const { name = '', state, sort, reverse, limit = Number.POSITIVE_INFINITY } = options;
  const found = (await listRuns(folder))
    .filter((run) => run.path.includes(name) && (state === undefined || run.state === state))
    .sort(ORDERS[sort]);
  const runs = (reverse ? found.reverse() : found).slice(-limit);
  if (options.json) {
    for (const run of runs) io.stdout.write(`${JSON.stringify({ event: 'run', ...run })}\n`);
  } else {
    io.stdout.write(`${runs.length === 0 ? `no runs in ${folder}` : describe(runs)}\n`);
  }
}

function describe(runs: readonly RunInfo[]): string {
  const rows = runs.map((run) => [
    run.path,
    run.state,
    steps(run),
    run.best === null ? '-' : `${run.best.metric} ${metricValue(run.best.metric, run.best.value)}`,
    run.started === null ? '-' : date(run.started),
    run.seconds === null ? '-' : duration(run.seconds),
  ]);
  const notes = runs
    .filter(({ message }) => message !== null)
    .map(({ path, state, message }) => `${path}: ${state}: ${firstLine(message!)}`);
  const text = table(['run', 'state', 'steps', 'best', 'started', 'took'], rows, [2, 5]);
  return notes.length === 0 ? text : [text, '', ...notes].join('\n');
}

function steps({ step, total_steps }: RunInfo): string {
  if (step === null) return '-';
  return total_steps === null ? count(step) : `${count(step)}/${count(total_steps)}`;
}

const MOST_CHARACTERS = 160;

function firstLine(text: string): string {
  const line = text.split('\n')[0]!;
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 3)}...` : line;
}
