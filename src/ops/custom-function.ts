/** Functions with a gradient of the user's own. */

import { isFloating, promoteTypes } from '../base/dtype.ts';
import { AutogradError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import { noGrad } from '../core/grad-mode.ts';
import type { Op } from '../core/graph.ts';
import { Tensor } from '../core/tensor.ts';
import { cat } from './joining.ts';
import { reshape, same } from './movement.ts';
import { cast } from './pointwise.ts';
import { narrow } from './slicing.ts';

/** What forward hands to backward. Anything else may be put on it as well. */
export class FunctionContext {
  [key: string]: unknown;
  #saved: readonly Tensor[] = [];
  /** Of the arguments of forward: is a gradient asked for? */
  readonly needsInputGrad: readonly boolean[];
  /** What forward returned, and the results that stand for it in the graph. */
  readonly #results = new Map<Tensor, Tensor>();

  constructor(needsInputGrad: readonly boolean[]) {
    this.needsInputGrad = needsInputGrad;
  }

  /** Keeps inputs or outputs of forward, so that backward can be differentiated again. */
  saveForBackward(...tensors: Tensor[]): void {
    this.#saved = tensors;
  }

  get savedTensors(): readonly Tensor[] {
    return this.#saved.map((tensor) => this.#results.get(tensor) ?? tensor);
  }

  /** Says which tensor of the graph a result of forward became. */
  became(returned: Tensor, result: Tensor): void {
    this.#results.set(returned, result);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: each function has arguments of its own
type Forward = (ctx: FunctionContext, ...args: any[]) => Tensor | readonly Tensor[];
type Gradients = Tensor | null | readonly (Tensor | null)[];
type Backward = (ctx: FunctionContext, ...grads: Tensor[]) => Gradients;

export interface CustomFunction<F extends Forward> {
  /** For messages and printed programs. */
  readonly name?: string;
  /** The result or results, of tensors and other arguments. Its ops are not differentiated. */
  readonly forward: F;
  /**
   * From the gradients of all results (zeros where none arrived) one gradient for each argument of
   * forward, or null: alone where there is one argument.
   */
  readonly backward: Backward;
}

type Arguments<F> = F extends (ctx: FunctionContext, ...args: infer Args) => unknown ? Args : never;

/**
 * A differentiable function from its forward and its backward, in tensor ops both.
 * https://pytorch.org/docs/stable/autograd.html#function
 */
export function customFunction<F extends Forward>(
  definition: CustomFunction<F>,
): (...args: Arguments<F>) => ReturnType<F> {
  return (...args) => call(definition, args) as ReturnType<F>;
}

/**
 * The same as a class: `class Exp extends autograd.Function { static forward(ctx, x) ... }`, called
 * as `Exp.apply(x)`. https://pytorch.org/docs/stable/generated/torch.autograd.Function.html
 */
// biome-ignore lint/complexity/noStaticOnlyClass: PyTorch's way to write it, by inheritance
export class AutogradFunction {
  static apply<F extends Forward>(
    this: { readonly name: string; readonly forward: F; readonly backward: Backward },
    ...args: Arguments<F>
  ): ReturnType<F> {
    // biome-ignore lint/complexity/noThisInStatic: the subclass it is called on
    return call(this, args) as ReturnType<F>;
  }
}

function call(definition: CustomFunction<Forward>, args: readonly unknown[]) {
  const ctx = new FunctionContext(args.map((x) => x instanceof Tensor && x.requires_grad));
  const returned = noGrad(() => definition.forward(ctx, ...args));
  const list = returned instanceof Tensor ? [returned] : returned;
  const results = join(definition, ctx, args, list);
  for (const [i, result] of results.entries()) ctx.became(list[i]!, result);
  return returned instanceof Tensor ? results[0]! : results;
}

/**
 * The results as outputs of one node, so that backward gets all their gradients at once: the node's
 * value is the floating results one after the other.
 */
function join(
  definition: CustomFunction<Forward>,
  ctx: FunctionContext,
  args: readonly unknown[],
  returned: readonly Tensor[],
): Tensor[] {
  const floating = returned.filter((x) => isFloating(x.dtype));
  if (floating.length === 0) return returned.map(same);
  const dtype = floating.map((x) => x.dtype).reduce(promoteTypes);
  const flat = floating.map((x) => cast(reshape(x, [x.numel()]), dtype));
  const whole = noGrad(() => (flat.length === 1 ? flat[0]! : cat(flat)));
  const inputs = args.filter((x): x is Tensor => x instanceof Tensor);
  const parts = (x: Tensor): Tensor[] => {
    let offset = 0;
    return floating.map(({ shape, dtype: own }, i) => {
      const size = flat[i]!.numel();
      const part = floating.length === 1 ? x : narrow(x, 0, offset, size);
      offset += size;
      return cast(reshape(part, shape), own);
    });
  };
  const row = rowOf(definition, (gradient) => {
    const found = definition.backward(ctx, ...parts(gradient));
    return matched(definition, args, found);
  });
  const pending = parts(apply(row, [whole, ...inputs], {}));
  return returned.map((x) => (isFloating(x.dtype) ? pending.shift()! : same(x)));
}

/** Not in the table of ops: every call has a gradient rule of its own. */
function rowOf(
  { name = 'custom_function' }: CustomFunction<Forward>,
  backward: (gradient: Tensor) => readonly (Tensor | null)[],
): Op<object> {
  return {
    name,
    kind: 'movement',
    infer: ([whole]) => [whole!],
    vjp: ({ grads }) => [null, ...backward(grads[0]!)],
    lower: () => ({ kernel: 'alias', attrs: {}, operands: [0] }),
  };
}

/** The gradients of those arguments that are tensors. */
function matched(
  { name = 'custom_function' }: CustomFunction<Forward>,
  args: readonly unknown[],
  found: Gradients,
): (Tensor | null)[] {
  const list = found instanceof Tensor || found === null ? [found] : found;
  if (list.length !== args.length) {
    const counts = `${list.length} gradients for ${args.length} arguments`;
    throw opError(AutogradError, name, `backward gave ${counts}`);
  }
  return args.flatMap((argument, i) => {
    if (!(argument instanceof Tensor)) return [];
    const gradient = list[i] ?? null;
    if (gradient !== null && !sameShape(gradient.shape, argument.shape)) {
      const shapes = `${formatShape(gradient.shape)} for one of ${formatShape(argument.shape)}`;
      throw opError(ShapeError, name, `backward gave a gradient of shape ${shapes}`);
    }
    return [gradient];
  });
}
