/** `torchts validate CONFIG` */

import { Command } from 'commander';
import { formatShape } from '../base/shape.ts';
import { shortType } from '../base/user-code.ts';
import type { MemoryPlan } from '../engine/engine.ts';
import type { CommandContext } from './context.ts';
import { bytes, count, metric, table } from './format.ts';
import { type CommandHelp, withHelp } from './help.ts';
import { type CommonOptions, overridesOf, withCommon } from './options.ts';
import type { ModelReport } from './services.ts';
import { resolveTarget } from './target.ts';
import { weightsLine } from './weights-lines.ts';

const HELP: CommandHelp = {
  examples: [
    ['torchts validate configs/cifar10-cnn.yaml', 'its layers, and the memory it takes'],
    ['torchts validate configs/cifar10-cnn.yaml data.batch_size=64', 'with larger batches'],
  ],
};

export function validateCommand(context: CommandContext): Command {
  const command = new Command('validate')
    .summary('check a config; show layers, shapes, parameters and memory')
    .description(
      "Check CONFIG without reading its data or training: every key, every layer's shapes, " +
        'and the memory that training and evaluation take.',
    )
    .argument('<config>', 'a YAML file')
    .argument('[key=value...]', 'values over those of the config, read as YAML')
    .action((target: string, overrides: string[], options: CommonOptions) =>
      validate(context, target, overrides, options),
    );
  return withCommon(withHelp(command, HELP), 'json', 'quiet');
}

async function validate(
  { io, services }: CommandContext,
  name: string,
  overrides: readonly string[],
  options: CommonOptions,
): Promise<void> {
  const { config } = resolveTarget(name);
  const given = overridesOf(options, overrides);
  const load = (more: readonly string[]) => services.loadConfig(config, [...given, ...more]);
  const loaded = await load([]);
  const trials = loaded.config.sweep && (await services.planSweep(loaded, load)).points.length;
  const report = await services.inspectModel(loaded);
  if (options.json) {
    io.stdout.write(
      `${JSON.stringify({ event: 'validate', name: loaded.config.name, ...report, trials })}\n`,
    );
  } else if (!options.quiet) {
    const sweep = trials === undefined ? '' : `\nsweep       ${count(trials)} trials`;
    io.stdout.write(`${describe(report)}${sweep}\n${config}: valid\n`);
  }
}

function describe(report: ModelReport): string {
  const rows = report.layers.map((layer) => [
    layer.path === '' ? '(model)' : layer.path,
    shortType(layer.type),
    formatShape(layer.output_shape),
    count(layer.parameters),
    metric(layer.flops),
  ]);
  return [
    table(['layer', 'type', 'output', 'parameters', 'FLOPs'], rows, [3, 4]),
    '',
    `input       ${formatShape(report.input_shape)}`,
    `parameters  ${count(report.parameters)}${trainedText(report)}`,
    ...(report.weights === undefined ? [] : [`weights     ${weightsLine(report.weights)}`]),
    `FLOPs       ${metric(report.flops)} forward, for one batch`,
    `memory      ${memoryText(report)}`,
  ].join('\n');
}

function trainedText({ parameters, trained_parameters }: ModelReport): string {
  return trained_parameters === parameters ? '' : `, ${count(trained_parameters)} of them trained`;
}

function memoryText({ memory }: ModelReport): string {
  if (memory === undefined) return 'unknown: the engine cannot be loaded; see torchts doctor';
  const { training, evaluation } = memory;
  return [
    peakText('a training step', training, 'the parameters, the optimizer and the batch'),
    peakText('evaluation', evaluation, 'the parameters and the batch'),
  ].join(`\n${' '.repeat(12)}`);
}

function peakText(what: string, { arena_bytes, binding_bytes }: MemoryPlan, bound: string): string {
  return (
    `${bytes(arena_bytes + binding_bytes)} at the peak of ${what}: ` +
    `${bytes(arena_bytes)} for intermediate values, ${bytes(binding_bytes)} for ${bound}`
  );
}
