/** What `torchts import` prints of a file of weights. */

import { type DType, itemsize } from '../base/dtype.ts';
import { formatShape, numel } from '../base/shape.ts';
import type { ImportReport, TensorRow } from '../train/import.ts';
import type { ModelComparison } from '../train/weights/comparison.ts';
import { bytes, count, counted, table } from './format.ts';
import { weightsLine } from './weights-lines.ts';

/** @param list every key, dtype and shape too. */
export function importText(report: ImportReport, list: boolean): string {
  const { file, kind, tensors, model, written } = report;
  const lines = [
    `${file}: ${KINDS[kind]}`,
    `holds     ${contentsOf(tensors)}`,
    ...placeOf(report),
    ...(Object.keys(report.metadata).length === 0
      ? []
      : [`metadata  ${shortened(Object.keys(report.metadata))}`]),
    ...(model === undefined ? [UNKNOWN] : modelLines(file, model)),
    ...(written === undefined
      ? []
      : [
          `wrote     ${written.file}: ${written.format}, ${bytes(written.bytes)}, ` +
            counted(written.tensors, 'tensor'),
        ]),
  ];
  if (!list) return lines.join('\n');
  const rows = tensors.map(({ key, dtype, shape }) => [key, dtype, formatShape(shape)]);
  return [table(['key', 'dtype', 'shape'], rows), '', ...lines].join('\n');
}

const KINDS: Record<ImportReport['kind'], string> = {
  safetensors: 'safetensors',
  index: 'the index of files of safetensors',
  torch: 'a file of torch.save',
  checkpoint: 'a checkpoint of a run',
};

const UNKNOWN = 'model     none of the zoo is like it; compare it with --model CONFIG';

function contentsOf(tensors: readonly TensorRow[]): string {
  const numbers = tensors.reduce((sum, { shape }) => sum + numel(shape), 0);
  const size = tensors.reduce(
    (sum, { dtype, shape }) => sum + numel(shape) * itemsize(dtype as DType),
    0,
  );
  const dtypes = new Map<string, number>();
  for (const { dtype } of tensors) dtypes.set(dtype, (dtypes.get(dtype) ?? 0) + 1);
  const byDtype = [...dtypes].map(([dtype, times]) => `${count(times)} ${dtype}`).join(', ');
  const all = counted(tensors.length, 'tensor');
  return `${all} (${byDtype || 'none'}), ${counted(numbers, 'number')}, ${bytes(size)}`;
}

function placeOf({ path, beside }: ImportReport): string[] {
  if (path.length === 0 && beside.length === 0) return [];
  const inside = path.length === 0 ? [] : [`in ${path.join('.')}`];
  const others = beside.length === 0 ? [] : [`beside ${shortened(beside)}`];
  return [`found     ${[...inside, ...others].join(', ')}`];
}

function modelLines(file: string, model: ModelComparison): string[] {
  const { name, num_classes, nearest, fits, yaml } = model;
  const classes = num_classes === undefined ? '' : `, num_classes ${num_classes}`;
  const below = num_classes === undefined ? 'below model, ' : '';
  const found = nearest ? 'none of the zoo; the nearest is ' : '';
  return [
    `model     ${found}${name}${classes}`,
    ...(fits ? [`fits      ${weightsLine({ file, ...model })}`] : model.refusal!.split('\n')),
    ...(yaml === undefined ? [] : [`config    ${below}${yaml}`]),
  ];
}

/** More names are counted. */
const MOST_NAMES = 8;

const MOST_LETTERS = 60;

function shortened(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  const shown = names
    .slice(0, MOST_NAMES)
    .map((name) => (name.length > MOST_LETTERS ? `${name.slice(0, MOST_LETTERS)}...` : name))
    .join(', ');
  return more > 0 ? `${shown} and ${count(more)} more` : shown;
}
