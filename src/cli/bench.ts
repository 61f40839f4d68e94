/** `torchts bench CONFIG [key=value...]` */

import { Command } from 'commander';
import type { BenchReport, InstructionReport } from '../train/bench.ts';
import type { CommandContext } from './context.ts';
import { bytes, count, counted, metric, percent, table } from './format.ts';
import { type CommandHelp, withHelp } from './help.ts';
import { type CommonOptions, overridesOf, positiveInteger, withCommon } from './options.ts';
import { resolveTarget } from './target.ts';

interface BenchOptions extends CommonOptions {
  readonly steps?: number;
  readonly warmup?: number;
  readonly data?: boolean;
  readonly plan?: boolean;
}

/** Longer labels, of many fused ops, are cut in the table; `--json` has them whole. */
const LONGEST_LABEL = 56;

const HELP: CommandHelp = {
  examples: [
    ['torchts bench configs/cifar10-cnn.yaml', 'which op takes how long'],
    [
      'torchts bench configs/cifar10-cnn.yaml data.batch_size=128 --steps 200 --json',
      'with larger batches, for a program to read',
    ],
    ['torchts bench configs/cifar10-smoke.yaml --data --plan', 'with its own data, and the plan'],
  ],
};

export function benchCommand(context: CommandContext): Command {
  const command = new Command('bench')
    .summary('time a training step, op by op')
    .description(
      'Time the training step of CONFIG on made-up batches of the right shape, and show which ' +
        'ops take how long, at how many operations a second, and the memory the step takes.',
    )
    .argument('<config>', 'a YAML file')
    .argument('[key=value...]', 'values over those of the config, read as YAML')
    .option('--steps <n>', 'how many steps to time; as many as 2 s hold', positiveInteger)
    .option('--warmup <n>', 'steps before the first that is timed', positiveInteger)
    .option('--data', "take batches of the config's own data, and time gathering them too")
    .option('--plan', "print the engine's plan, and the reorders left in it")
    .action((target: string, overrides: string[], options: BenchOptions) =>
      bench(context, target, overrides, options),
    );
  return withCommon(withHelp(command, HELP), 'device', 'threads', 'seed', 'json');
}

async function bench(
  { io, services }: CommandContext,
  name: string,
  overrides: readonly string[],
  options: BenchOptions,
): Promise<void> {
  const { config } = resolveTarget(name);
  const loaded = await services.loadConfig(config, overridesOf(options, overrides));
  const { steps, warmup, data, threads } = options;
  const { plan, ...report } = await services.bench({ loaded, steps, warmup, data, threads });
  if (options.json) {
    const whole = options.plan ? { ...report, plan } : report;
    io.stdout.write(`${JSON.stringify({ event: 'bench', ...whole })}\n`);
    return;
  }
  if (options.plan) io.stdout.write(`${plan}\n${reorders(report.instructions)}\n\n`);
  io.stdout.write(`${splitByLabel(report.instructions)}\n\n${describe(report)}\n`);
}

/** Every conversion between layouts that is left in the step. */
function reorders(instructions: readonly InstructionReport[]): string {
  const left = instructions.flatMap(({ kernel, label, ms }, i) =>
    kernel === 'reorder' ? [`reorder: instruction ${i}, ${milliseconds(ms)} ms, ${label}`] : [],
  );
  return [...left, `${left.length} reorders are left`].join('\n');
}

interface Share {
  readonly label: string;
  ms: number;
  flops: number;
  calls: number;
  readonly methods: Set<string>;
}

/** One row a label, the slowest first. */
function splitByLabel(instructions: readonly InstructionReport[]): string {
  const shares = new Map<string, Share>();
  for (const { label, kernel, method, ms, flops } of instructions) {
    const share = shares.get(label) ?? { label, ms: 0, flops: 0, calls: 0, methods: new Set() };
    shares.set(label, share);
    share.ms += ms;
    share.flops += flops;
    share.calls++;
    share.methods.add(method === kernel ? kernel : `${kernel} ${method}`);
  }
  const total = instructions.reduce((sum, { ms }) => sum + ms, 0);
  const rows = [...shares.values()]
    .sort((a, b) => b.ms - a.ms)
    .map(({ label, ms, flops, calls, methods }) => [
      label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 3)}...` : label,
      String(calls),
      milliseconds(ms),
      percent(ms / total),
      flops === 0 ? '-' : (flops / ms / 1e6).toFixed(1),
      [...methods].join(', '),
    ]);
  return table(['op', 'calls', 'ms', 'share', 'GFLOP/s', 'kernel and method'], rows, [1, 2, 3, 4]);
}

function describe(report: Omit<BenchReport, 'plan'>): string {
  const { ms_per_step_median, ms_per_step_min, flops_per_step } = report;
  const rate = (flops_per_step / ms_per_step_median / 1e6).toFixed(1);
  const kernels = report.instructions.reduce((sum, { ms }) => sum + ms, 0);
  return [
    `${report.name}: ${milliseconds(ms_per_step_median)} ms a step (median of ` +
      `${count(report.steps)}, ${report.steps_per_call} a call; minimum ` +
      `${milliseconds(ms_per_step_min)}), ${counted(report.threads, 'thread')}`,
    `kernels  ${milliseconds(kernels)} ms in ${count(report.instructions.length)} instructions`,
    `FLOPs    ${metric(flops_per_step)} a step: ${rate} GFLOP/s`,
    `memory   ${bytes(report.peak_bytes)} at the peak: ${bytes(report.arena_bytes)} for ` +
      `intermediate values, ${bytes(report.binding_bytes)} for the parameters, the optimizer and ` +
      'the batch',
    `process  ${bytes(report.rss_bytes)} resident at the peak`,
  ].join('\n');
}

function milliseconds(value: number): string {
  return value < 10 ? value.toFixed(4) : value.toFixed(2);
}
