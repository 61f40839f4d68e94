/** `torchts export RUN|CONFIG|CHECKPOINT` */

import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../base/errors.ts';
import { IR_VERSIONS } from '../onnx/opsets.ts';
import { EXPORT_FORMATS, type ExportFormat, formatOf } from '../train/weights/formats.ts';
import type { CommandContext } from './context.ts';
import { bytes, count, counted } from './format.ts';
import { type CommandHelp, withHelp } from './help.ts';
import {
  type CommonOptions,
  checkpointOption,
  overridesOf,
  positiveInteger,
  withCommon,
} from './options.ts';
import type { ExportResult } from './services.ts';
import { checkpointCalled, resolveWeightsTarget, runOf } from './target.ts';

interface ExportOptions extends CommonOptions {
  readonly format?: ExportFormat;
  readonly out?: string;
  readonly checkpoint?: string;
  readonly ema: boolean;
  readonly opset?: string;
  readonly batch?: number | 'dynamic';
  readonly runs: string;
  readonly force?: boolean;
}

const HELP: CommandHelp = {
  examples: [
    ['torchts export runs/images --out images.pt', 'the best weights, for torch.load'],
    ['torchts export runs/images --out images.onnx', 'the whole model, for onnxruntime'],
    ['torchts export runs/images/3 --checkpoint last', 'the last weights, as images.safetensors'],
    ['torchts export runs/images/3/checkpoints/step-500 --format pt', 'a checkpoint'],
  ],
  notes:
    'safetensors and ONNX keep the names of the classes and what is done to samples\n' +
    'before the model, as data.val of the config says it, or data.train. A CONFIG of\n' +
    'no run gives the weights that its training would begin with.',
};

export function exportCommand(context: CommandContext): Command {
  const command = new Command('export')
    .summary('write a trained model for PyTorch, onnxruntime and others')
    .description(
      'Write the weights of RUN or of a CHECKPOINT as safetensors or for torch.load, under the ' +
        'keys of the state dict, or the whole model as ONNX; given a CONFIG, of the newest run ' +
        'of that name in --runs.',
    )
    .argument('<run|config>', 'the folder of a run or of a checkpoint, or a YAML file')
    .argument('[key=value...]', 'values over those of the config, read as YAML')
    .addOption(
      new Option('--format <format>', 'what is written; by the name of --out').choices(
        EXPORT_FORMATS,
      ),
    )
    .option('--out <file>', "the file; the config's name and .safetensors unless given")
    .addOption(checkpointOption())
    .option('--no-ema', 'the weights as trained, where their average is kept too')
    .addOption(
      new Option('--batch <n>', 'of ONNX: samples at once, or dynamic for any number').argParser(
        batchSize,
      ),
    )
    .addOption(
      new Option(
        '--opset <version>',
        'of ONNX: the version of its operators; 18 unless given',
      ).choices(Object.keys(IR_VERSIONS)),
    )
    .option('--runs <dir>', 'where runs are looked for', 'runs')
    .option('--force', 'replace a file that is there')
    .action((target: string, overrides: string[], options: ExportOptions) =>
      exportTarget(context, target, overrides, options),
    );
  return withCommon(withHelp(command, HELP), 'json');
}

async function exportTarget(
  { io, services }: CommandContext,
  name: string,
  overrides: readonly string[],
  options: ExportOptions,
): Promise<void> {
  const target = resolveWeightsTarget(name);
  const loaded = await services.loadConfig(target.config, overridesOf(options, overrides));
  const { name: called } = loaded.config;
  const { format: asked = 'safetensors', runs, opset, batch } = options;
  const file = options.out ?? `${called}.${asked}`;
  const format = formatOf(file, options.format, EXPORT_FORMATS);
  if (format !== 'onnx' && (opset ?? batch) !== undefined) {
    throw new ConfigError('--opset and --batch are of ONNX: add --format onnx');
  }
  const isTrained = options.checkpoint !== undefined || runOf(target, runs, called) !== undefined;
  const result = await services.exportModel({
    ...{ loaded, file, format, batch, trained: !options.ema },
    opset_version: opset === undefined ? undefined : Number(opset),
    checkpoint: isTrained ? checkpointCalled(options.checkpoint, target, runs, called) : undefined,
    force: options.force ?? false,
  });
  const text = options.json
    ? JSON.stringify({ event: 'export', ...result })
    : inWords(result, join(runs, called));
  io.stdout.write(`${text}\n`);
}

function batchSize(text: string): number | 'dynamic' {
  if (text === 'dynamic') return text;
  try {
    return positiveInteger(text);
  } catch {
    throw new InvalidArgumentError('It must be a positive integer, or dynamic.');
  }
}

/** @param runs where a run was looked for. */
function inWords(result: ExportResult, runs: string): string {
  const { file, format, tensors, parameters } = result;
  return [
    `${file}: ${format}, ${bytes(result.bytes)}`,
    `holds    ${counted(tensors, 'tensor')}, ${counted(parameters, 'parameter')}`,
    `weights  ${originOf(result, runs)}`,
    `load it  ${LOADING[format](JSON.stringify(file), result)}`,
  ].join('\n');
}

function originOf({ weights }: ExportResult, runs: string): string {
  if ('initial' in weights) return `as initialised: there is no run in ${runs}`;
  if ('file' in weights) return `of ${weights.file}, untrained: there is no run in ${runs}`;
  const { checkpoint, step, ema } = weights;
  return `of ${checkpoint}, step ${count(step)}${ema ? ', their average' : ''}`;
}

/** A line of Python; of ONNX with what goes in. */
const LOADING: Record<ExportFormat, (file: string, result: ExportResult) => string> = {
  safetensors: (file) => `model.load_state_dict(safetensors.torch.load_file(${file}))`,
  pt: (file) => `model.load_state_dict(torch.load(${file}, weights_only=True))`,
  onnx: (file, { input: { dtype, shape } }) =>
    `onnxruntime.InferenceSession(${file}), input ${dtype} (${['batch', ...shape].join(', ')})`,
};
