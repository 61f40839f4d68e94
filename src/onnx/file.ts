/** `onnx.export`, by PyTorch's arguments. */

import { ArgumentError } from '../base/errors.ts';
import { Tensor } from '../core/tensor.ts';
import { writeFileAtomic } from '../io/atomic.ts';
import type { AnyModule } from '../nn/module.ts';
import { type ExportOptions, exportOnnx } from './export.ts';

/**
 * Writes `model` in evaluation mode to the file `f`. `args` are examples of what it takes, of which
 * only dtypes and shapes matter: the first dimension is the batch, and the model takes one of any
 * size unless `options.batch` says how many.
 * https://pytorch.org/docs/stable/onnx.html#torch.onnx.export
 *
 * @throws ArgumentError for what cannot be exported, naming the op and the path of the module;
 *   FileError for a model of 2 GiB or more, or where the file cannot be written.
 */
export async function exportFile(
  model: AnyModule,
  args: Tensor | readonly Tensor[],
  f: string,
  options: ExportOptions = {},
): Promise<void> {
  const given = Array.isArray(args) ? (args as readonly Tensor[]) : [args as Tensor];
  const fields = given.map((example) => {
    if (!(example instanceof Tensor)) throw new ArgumentError('[onnx] args must be tensors');
    const { dtype, shape } = example;
    if (shape.length > 0) return { dtype, shape: shape.slice(1) };
    throw new ArgumentError('[onnx] args have no batch: a tensor of no dimensions');
  });
  await writeFileAtomic(f, [await exportOnnx(model, fields, options)]);
}
