/**
 * `autograd.functional`: derivatives of functions.
 * https://pytorch.org/docs/stable/autograd.html#functional-higher-level-api
 */

import { ArgumentError, AutogradError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import { grad } from '../core/autograd.ts';
import { enableGrad } from '../core/grad-mode.ts';
import { Tensor } from '../core/tensor.ts';
import { eye, onesLike, zerosLike } from './creation.ts';
import { stack } from './joining.ts';
import { reshape, same } from './movement.ts';
import { named } from './named.ts';
import { add } from './pointwise.ts';
import { select } from './slicing.ts';

type Tensors = Tensor | readonly Tensor[];

/** A function of tensors whose derivatives are wanted. */
export type TensorFunction = (...inputs: Tensor[]) => Tensors;

/** A tensor where one was given, or a list. */
export type Nested<T> = T | readonly Nested<T>[];

const listOf = (tensors: Tensors): readonly Tensor[] =>
  tensors instanceof Tensor ? [tensors] : tensors;

/** As many as `like`: alone if that is a tensor. */
function packed<T>(like: Tensors, list: readonly T[]): T | readonly T[] {
  return like instanceof Tensor ? list[0]! : list;
}

/** The function at inputs of its own, so that nobody else's gradients are touched. */
interface Evaluated {
  readonly inputs: readonly Tensor[];
  /** As the function gave them. */
  readonly result: Tensors;
  readonly outputs: readonly Tensor[];
}

function evaluated(
  op: string,
  func: TensorFunction,
  given: Tensors,
  create_graph: boolean,
): Evaluated {
  const inputs = listOf(given).map((x) =>
    create_graph && x.requires_grad ? same(x) : x.detach().requires_grad_(),
  );
  const result = func(...inputs);
  const outputs = listOf(result);
  if (outputs.every((y) => y instanceof Tensor)) return { inputs, result, outputs };
  throw opError(ArgumentError, op, 'the function must give a tensor or a list of tensors');
}

interface Ways {
  readonly create_graph: boolean;
  readonly strict: boolean;
}

/** The gradients of `outputs`; zeros where they do not depend on an input, unless `strict`. */
function gradients(
  op: string,
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  grad_outputs: readonly Tensor[],
  { create_graph, strict }: Ways,
): Tensor[] {
  const found = outputs.map((output, i) => {
    if (!output.requires_grad) return inputs.map(() => null);
    const options = { grad_outputs: grad_outputs[i]!, create_graph, allow_unused: true };
    return grad(output, inputs, options);
  });
  return inputs.map((input, i) => {
    const parts = found.flatMap((list) => list[i] ?? []);
    const missing = found.findIndex((list) => list[i] === null);
    if (strict && missing >= 0) {
      const message = `output ${missing} does not depend on input ${i}; strict forbids it`;
      throw opError(AutogradError, op, message);
    }
    const sum = parts.length === 0 ? undefined : parts.reduce((a, b) => add(a, b));
    return sum ?? zerosLike(input);
  });
}

/**
 * The vectors to multiply with, of the shapes of `like`; ones where it is scalar and none is given.
 */
function vectors(op: string, v: Tensors | null, like: readonly Tensor[]): readonly Tensor[] {
  if (v === null) {
    if (like.length === 1 && like[0]!.numel() === 1) return [onesLike(like[0]!)];
    throw opError(ArgumentError, op, 'v can be left out only where there is one number');
  }
  const list = listOf(v);
  if (list.length !== like.length) {
    throw opError(ArgumentError, op, `v has ${list.length} tensors, needs ${like.length}`);
  }
  for (const [i, { shape }] of list.entries()) {
    if (sameShape(shape, like[i]!.shape)) continue;
    const shapes = `${formatShape(shape)}, needs ${formatShape(like[i]!.shape)}`;
    throw opError(ShapeError, op, `v has shape ${shapes}`);
  }
  return list;
}

const released = (list: readonly Tensor[], create_graph: boolean) =>
  create_graph ? list : list.map((x) => x.detach());

const releasedAs = (like: Tensors, list: readonly Tensor[], create_graph: boolean): Tensors =>
  packed(like, released(list, create_graph));

/**
 * All derivatives of `func` at `inputs`: of each output by each input a tensor (...output,
 * ...input). Lists are nested, outputs first, where the function gives or takes several.
 * https://pytorch.org/docs/stable/generated/torch.autograd.functional.jacobian.html
 *
 * @param create_graph makes the result differentiable by inputs that require gradients.
 * @throws AutogradError with `strict` where an output does not depend on an input.
 */
export const jacobian = named(
  'jacobian',
  ['func', 'inputs', 'create_graph', 'strict'],
  (func: TensorFunction, inputs: Tensors, create_graph = false, strict = false): Nested<Tensor> =>
    enableGrad(() => {
      const at = evaluated('jacobian', func, inputs, create_graph);
      const rows = at.outputs.map((output) => {
        const size = output.numel();
        const seeds = eye(size, { dtype: output.dtype });
        const found = Array.from({ length: size }, (_, i) => {
          const seed = reshape(select(seeds, 0, i), output.shape);
          return gradients('jacobian', [output], at.inputs, [seed], { create_graph, strict });
        });
        const whole = at.inputs.map((input, k) => {
          const shape = [...output.shape, ...input.shape];
          return size === 0
            ? reshape(zerosLike(input), shape)
            : reshape(stack(found.map((list) => list[k]!)), shape);
        });
        return releasedAs(inputs, whole, create_graph);
      });
      return packed(at.result, rows);
    }),
);

/**
 * The second derivatives of a function of one number: by each pair of inputs (...first, ...second).
 * https://pytorch.org/docs/stable/generated/torch.autograd.functional.hessian.html
 *
 * @throws ShapeError when the function does not give one number.
 */
export const hessian = named(
  'hessian',
  ['func', 'inputs', 'create_graph', 'strict'],
  (func: TensorFunction, inputs: Tensors, create_graph = false, strict = false): Nested<Tensor> => {
    const first = (...at: Tensor[]): Tensors => {
      const scalar = (...given: Tensor[]) => reshape(oneNumber('hessian', func(...given)), []);
      return jacobian(scalar, inputs instanceof Tensor ? at[0]! : at, true, strict) as Tensors;
    };
    return jacobian(first, inputs, create_graph, strict);
  },
);

function oneNumber(op: string, result: Tensors): Tensor {
  const [output, ...others] = listOf(result);
  if (output?.numel() === 1 && others.length === 0) return output;
  throw opError(ShapeError, op, 'the function must give one number');
}

/** A product with `v`, under PyTorch's names for the arguments. */
function product<Outputs>(
  op: string,
  compute: (
    func: TensorFunction,
    inputs: Tensors,
    v: Tensors | null,
    ways: Ways,
  ) => [outputs: Outputs, product: Tensors],
) {
  return named(
    op,
    ['func', 'inputs', 'v', 'create_graph', 'strict'],
    (
      func: TensorFunction,
      inputs: Tensors,
      v: Tensors | null = null,
      create_graph = false,
      strict = false,
    ): [outputs: Outputs, product: Tensors] =>
      enableGrad(() => compute(func, inputs, v, { create_graph, strict })),
  );
}

/**
 * The outputs, and `v`, of their shapes, times the Jacobian.
 * https://pytorch.org/docs/stable/generated/torch.autograd.functional.vjp.html
 */
export const vjp = product<Tensors>('vjp', (func, inputs, v, ways) => {
  const at = evaluated('vjp', func, inputs, ways.create_graph);
  const given = vectors('vjp', v, at.outputs);
  const found = gradients('vjp', at.outputs, at.inputs, given, ways);
  return [
    releasedAs(at.result, at.outputs, ways.create_graph),
    releasedAs(inputs, found, ways.create_graph),
  ];
});

/**
 * The outputs, and the Jacobian times `v`, of the inputs' shapes: by differentiating the product
 * from the other side once more.
 * https://pytorch.org/docs/stable/generated/torch.autograd.functional.jvp.html
 */
export const jvp = product<Tensors>('jvp', (func, inputs, v, { create_graph, strict }) => {
  const at = evaluated('jvp', func, inputs, create_graph);
  const given = vectors('jvp', v, at.inputs);
  const seeds = at.outputs.map((y) => zerosLike(y).requires_grad_());
  const linear = gradients('jvp', at.outputs, at.inputs, seeds, { create_graph: true, strict });
  const found = gradients('jvp', linear, seeds, given, { create_graph, strict: false });
  return [
    releasedAs(at.result, at.outputs, create_graph),
    releasedAs(at.result, found, create_graph),
  ];
});

/** The value of a function of one number, and its Hessian, which is symmetric, times `v`. */
const hessianProduct = (op: string) =>
  product<Tensor>(op, (func, inputs, v, { create_graph, strict }) => {
    const at = evaluated(op, func, inputs, create_graph);
    const given = vectors(op, v, at.inputs);
    const output = oneNumber(op, at.result);
    const one = [onesLike(output)];
    const first = gradients(op, [output], at.inputs, one, { create_graph: true, strict });
    const found = gradients(op, first, at.inputs, given, { create_graph, strict });
    return [released([output], create_graph)[0]!, releasedAs(inputs, found, create_graph)];
  });

/**
 * The value, and `v` times the Hessian.
 * https://pytorch.org/docs/stable/generated/torch.autograd.functional.vhp.html
 */
export const vhp = hessianProduct('vhp');

/**
 * The value, and the Hessian times `v`.
 * https://pytorch.org/docs/stable/generated/torch.autograd.functional.hvp.html
 */
export const hvp = hessianProduct('hvp');
