/**
 * Gradients of the graph against finite differences. Meant for small tensors: the function runs
 * twice for every element of the inputs, and backward once for every element of the outputs.
 * https://pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
 */

import { ArgumentError, AutogradError, opError } from '../base/errors.ts';
import { numel } from '../base/shape.ts';
import { grad } from './autograd.ts';
import { engine } from './device.ts';
import { valueType } from './graph.ts';
import { bufferLeaf } from './leaf.ts';
import { realizeSync } from './realize.ts';
import { Tensor } from './tensor.ts';

/** A function whose gradients are checked. */
export type Differentiable = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

export interface GradcheckOptions {
  /** The step of the central differences. */
  readonly eps?: number;
  /** Two numbers agree when they differ by at most `atol + rtol * |finite difference|`. */
  readonly atol?: number;
  readonly rtol?: number;
}

/**
 * Compares every derivative of `fn`'s outputs by those of `inputs` that require a gradient with a
 * central difference.
 *
 * @param inputs those that require a gradient must be float64: rounding hides in differences.
 * @throws AutogradError that names the first derivative that differs and both numbers,
 *   ArgumentError when nothing requires a gradient or an input is not float64.
 */
export function gradcheck(
  fn: Differentiable,
  inputs: readonly Tensor[],
  { eps = 1e-6, atol = 1e-5, rtol = 1e-3 }: GradcheckOptions = {},
): void {
  const points = inputs.map((input, i) => new Point(input, i));
  if (!points.some((point) => point.checked)) {
    throw opError(ArgumentError, 'gradcheck', 'none of the inputs requires a gradient');
  }
  const analytic = jacobians(fn, points);
  for (const [i, point] of points.entries()) {
    if (!point.checked) continue;
    for (let element = 0; element < point.data.length; element++) {
      const above = outputsAt(fn, points, i, element, eps);
      const below = outputsAt(fn, points, i, element, -eps);
      for (const [o, rows] of analytic.entries()) {
        for (const [row, gradients] of rows.entries()) {
          const expected = (above[o]![row]! - below[o]![row]!) / (2 * eps);
          const found = gradients[i]![element]!;
          if (Math.abs(found - expected) <= atol + rtol * Math.abs(expected)) continue;
          throw opError(
            AutogradError,
            'gradcheck',
            `d output ${o}[${row}] / d input ${i}[${element}] is ${found} by the graph, ` +
              `${expected} by finite differences`,
          );
        }
      }
    }
  }
}

/**
 * `gradcheck` of the gradients of `fn`: the second derivatives.
 * https://pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradgradcheck.html
 */
export function gradgradcheck(
  fn: Differentiable,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): void {
  const shapes = differentiable(fn(...inputs)).map((output) => output.shape);
  const seeds = shapes.map((shape) =>
    leafOf(
      { dtype: 'float64', shape },
      // Any numbers do that are neither equal nor special.
      Float64Array.from({ length: numel(shape) }, (_, i) => 0.5 + Math.cos(i + 1) / 3),
      true,
    ),
  );
  const gradients = (...all: Tensor[]): Tensor[] => {
    const given = all.slice(0, inputs.length);
    const found = grad(
      differentiable(fn(...given)),
      given.filter((input) => input.requires_grad),
      { grad_outputs: all.slice(inputs.length), create_graph: true, allow_unused: true },
    );
    return found.filter((gradient) => gradient !== null);
  };
  gradcheck(gradients, [...inputs, ...seeds], options);
}

/** Where one input is: its numbers, from which leaves are made. */
class Point {
  readonly checked: boolean;
  readonly data: Float64Array;

  constructor(
    readonly input: Tensor,
    index: number,
  ) {
    this.checked = input.requires_grad;
    if (this.checked && input.dtype !== 'float64') {
      throw opError(
        ArgumentError,
        'gradcheck',
        `input ${index} is ${input.dtype}: finite differences need float64`,
      );
    }
    this.data = this.checked ? (input.dataSync() as Float64Array) : new Float64Array();
  }

  /** A new leaf here, or `by` away from here in one element. */
  leaf(element = 0, by = 0): Tensor {
    if (!this.checked) return this.input;
    const data = this.data.slice();
    if (by !== 0) data[element]! += by;
    return leafOf(valueType(this.input.value), data, true);
  }
}

function leafOf(type: ReturnType<typeof valueType>, data: Float64Array, requires_grad: boolean) {
  const storage = engine().allocate(type.dtype, data.length);
  engine().write(storage, data);
  return new Tensor(bufferLeaf(type, storage)).requires_grad_(requires_grad);
}

function differentiable(result: Tensor | readonly Tensor[]): readonly Tensor[] {
  const outputs = result instanceof Tensor ? [result] : result;
  return outputs.filter((output) => output.requires_grad);
}

/** By output, by its element: the gradient of each input, flat; zeros where there is none. */
function jacobians(fn: Differentiable, points: readonly Point[]): Float64Array[][][] {
  const leaves = points.map((point) => point.leaf());
  const outputs = differentiable(fn(...leaves));
  if (outputs.length === 0) {
    throw opError(ArgumentError, 'gradcheck', 'none of the outputs requires a gradient');
  }
  return outputs.map((output) =>
    Array.from({ length: output.numel() }, (_, row) => {
      const seed = new Float64Array(output.numel());
      seed[row] = 1;
      const found = grad(output, leaves, {
        grad_outputs: [leafOf(valueType(output.value), seed, false)],
        allow_unused: true,
      });
      realizeSync(found.flatMap((gradient) => (gradient === null ? [] : [gradient.value])));
      return found.map((gradient, i) =>
        gradient === null
          ? new Float64Array(points[i]!.data.length)
          : (gradient.dataSync() as Float64Array),
      );
    }),
  );
}

/** The outputs that require gradients, flat, with one element of one input moved. */
function outputsAt(
  fn: Differentiable,
  points: readonly Point[],
  moved: number,
  element: number,
  by: number,
): Float64Array[] {
  const inputs = points.map((point, i) => point.leaf(element, i === moved ? by : 0));
  const outputs = differentiable(fn(...inputs));
  realizeSync(outputs.map((output) => output.value));
  return outputs.map((output) => output.dataSync() as Float64Array);
}
