/**
 * Reverse-mode differentiation as a graph transformation: the walk adds gradient nodes by each op's
 * `vjp` rule. Iterative, so depth is limited by memory alone.
 */

import type { DType } from '../base/dtype.ts';
import { isFloating } from '../base/dtype.ts';
import { AutogradError, assert, opError, ShapeError, withScope } from '../base/errors.ts';
import { formatShape, type Shape, sameShape } from '../base/shape.ts';
import { differentiating } from './anomaly.ts';
import { setGradEnabled } from './grad-mode.ts';
import type { Node, Value } from './graph.ts';
import { valueType } from './graph.ts';
import { hooked, keepersOf } from './hooks.ts';
import { Tensor } from './tensor.ts';
import { currentTrace } from './trace.ts';

/** The few ops the walk itself needs; `ops/` provides them. */
export interface GradientOps {
  add(a: Tensor, b: Tensor): Tensor;
  /** Sums `gradient` over the dimensions in which `shape` was broadcast. */
  sumTo(gradient: Tensor, shape: Shape): Tensor;
  cast(tensor: Tensor, dtype: DType): Tensor;
  full(shape: Shape, value: number, dtype: DType): Tensor;
}

let gradientOps: GradientOps | undefined;

export function provideGradientOps(ops: GradientOps): void {
  gradientOps = ops;
}

function ops(): GradientOps {
  assert(gradientOps !== undefined, 'autograd is used before the ops are loaded');
  return gradientOps;
}

export interface BackwardOptions {
  /** Taken and without effect: the graph stays for as long as someone holds its tensors. */
  retain_graph?: boolean | null;
  /** Record the gradient's own graph, to differentiate again. */
  create_graph?: boolean;
  /** The leaves to accumulate into; all of them where it is left out. */
  inputs?: Tensor | readonly Tensor[] | null;
}

/**
 * Accumulates into `.grad` of every leaf that requires a gradient and that `root` depends on.
 *
 * @param gradient d(something)/d(root), of root's shape; may be left out for a scalar.
 * @throws AutogradError when `root` does not require a gradient, when an op on the way has none,
 *   ShapeError when `gradient` has another shape.
 */
export function backward(
  root: Tensor,
  gradient?: Tensor | null,
  options: BackwardOptions = {},
): void {
  backwardAll([root], [gradient ?? null], options);
}

/**
 * `backward` of several tensors at once.
 * https://pytorch.org/docs/stable/generated/torch.autograd.backward.html
 */
export function backwardAll(
  tensors: Tensor | readonly Tensor[],
  grad_tensors: Tensor | readonly (Tensor | null)[] | null = null,
  { create_graph = false, inputs = null }: BackwardOptions = {},
): void {
  const roots = tensors instanceof Tensor ? [tensors] : tensors;
  const given = grad_tensors instanceof Tensor ? [grad_tensors] : (grad_tensors ?? []);
  if (given.length > 0 && given.length !== roots.length) {
    const counts = `${given.length} gradients for ${roots.length} tensors`;
    throw opError(AutogradError, 'backward', `there are ${counts}`);
  }
  const seeds = roots.map((root, i) => seedOf('backward', root, given[i]));
  if (currentTrace() === undefined) for (const root of roots) rememberRoot(root);
  const leaves = inputs === null ? undefined : inputs instanceof Tensor ? [inputs] : inputs;
  const wanted = leaves && new Set(leaves.map((leaf) => leafNode(leaf)));
  setGradEnabled(create_graph, () => {
    const values = roots.map((root) => root.value);
    new Walk(values, seeds, wanted).run((node, grads) => {
      for (const [tensor, arrived] of keepersOf(node, grads)) {
        // A handle of its own: one gradient may reach several leaves, and each can be changed in
        // place.
        tensor.grad = tensor.grad === null ? own(arrived) : ops().add(tensor.grad, arrived);
      }
    });
  });
}

function leafNode(leaf: Tensor): Node {
  if (leaf.requires_grad && leaf.is_leaf) return leaf.value.node;
  throw opError(AutogradError, 'backward', 'inputs must be leaves that require a gradient');
}

/** Roots of the backward walks since the last call, as far as anyone still holds them. */
let recentRoots: WeakRef<Tensor>[] = [];
/** A loop without an optimizer never takes them; the list must not grow for it. */
const MAX_RECENT_ROOTS = 16;

function rememberRoot(root: Tensor): void {
  recentRoots.push(new WeakRef(root));
  if (recentRoots.length > MAX_RECENT_ROOTS) recentRoots.shift();
}

/**
 * Takes the recent roots. Whoever computes gradients computes these along with them: a loss that is
 * read after the optimizer's step would otherwise be computed a second time.
 */
export function takeRecentRoots(): Tensor[] {
  const roots = recentRoots.flatMap((reference) => reference.deref() ?? []);
  recentRoots = [];
  return roots;
}

export interface GradOptions {
  /** Taken and without effect: the graph stays for as long as someone holds its tensors. */
  retain_graph?: boolean | null;
  /** Give zeros where `allow_unused` would give `null`. */
  materialize_grads?: boolean;
  /** Record the gradient's own graph, to differentiate again. */
  create_graph?: boolean;
  /** Give `null` for inputs that the outputs do not depend on, instead of throwing. */
  allow_unused?: boolean;
  grad_outputs?: Tensor | readonly (Tensor | null)[] | null;
}

/**
 * The gradients of the sum of `outputs` with respect to `inputs`; `.grad` is left alone.
 * https://pytorch.org/docs/stable/generated/torch.autograd.grad.html
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  const { create_graph = false, materialize_grads = false, grad_outputs } = options;
  const { allow_unused = materialize_grads } = options;
  const roots = outputs instanceof Tensor ? [outputs] : outputs;
  const leaves = inputs instanceof Tensor ? [inputs] : inputs;
  const given = grad_outputs instanceof Tensor ? [grad_outputs] : grad_outputs;
  const seeds = roots.map((root, i) => seedOf('grad', root, given?.[i]));
  const found = new Map<Node, (Tensor | null)[]>();
  const wanted = new Set(leaves.map((input) => input.value.node));
  setGradEnabled(create_graph, () => {
    const walk = new Walk(
      roots.map((root) => root.value),
      seeds,
      wanted,
    );
    walk.run((node, grads) => {
      if (wanted.has(node)) found.set(node, grads);
    });
  });
  return leaves.map((input, i) => {
    const gradient = found.get(input.value.node)?.[input.value.index] ?? null;
    if (gradient !== null) return own(gradient);
    if (materialize_grads) return ops().full(input.shape, 0, input.dtype);
    if (allow_unused) return null;
    throw opError(
      AutogradError,
      'grad',
      input.requires_grad
        ? `the outputs do not depend on input ${i}; pass allow_unused: true to get null for it`
        : `input ${i} does not require a gradient`,
    );
  });
}

function own(gradient: Tensor): Tensor {
  return new Tensor(gradient.value);
}

function seedOf(op: string, root: Tensor, gradient?: Tensor | null): Tensor {
  if (!root.requires_grad) {
    throw opError(
      AutogradError,
      op,
      'the tensor does not require a gradient, nor does what made it',
    );
  }
  if (!gradient) {
    if (root.numel() === 1) return ops().full(root.shape, 1, root.dtype);
    throw opError(
      AutogradError,
      op,
      `a gradient must be given for a tensor of shape ${formatShape(root.shape)}: only scalars need none`,
    );
  }
  if (!sameShape(gradient.shape, root.shape)) {
    throw opError(
      ShapeError,
      op,
      `gradient has shape ${formatShape(gradient.shape)}, the tensor ${formatShape(root.shape)}`,
    );
  }
  return gradient;
}

/** One reverse walk over the nodes that require gradients, or those that lead to `wanted`. */
class Walk {
  readonly #grads = new Map<Node, (Tensor | null)[]>();

  constructor(
    readonly roots: readonly Value[],
    seeds: readonly Tensor[],
    readonly wanted?: ReadonlySet<Node>,
  ) {
    for (const [i, root] of roots.entries()) this.#accumulate(root, seeds[i]!);
  }

  /** Calls `arrive` at every node a gradient reached, from the roots to the leaves. */
  run(arrive: (node: Node, grads: (Tensor | null)[]) => void): void {
    const passed = this.#passed();
    for (const node of [...passed].reverse()) {
      const arrived = this.#grads.get(node);
      if (arrived === undefined) continue;
      const grads = hooked(node, arrived);
      arrive(node, grads);
      this.#pull(node, grads, passed);
    }
  }

  /** The nodes that gradients pass, inputs before outputs. */
  #passed(): ReadonlySet<Node> {
    const { wanted } = this;
    let oldest = wanted === undefined ? 0 : Infinity;
    for (const node of wanted ?? []) oldest = Math.min(oldest, node.id);
    const seen = new Set<Node>(this.roots.map((root) => root.node));
    const pending = [...seen];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node.variable !== undefined) continue;
      for (const input of node.inputs) {
        const passes = input.node.requires_grad && input.node.id >= oldest;
        if (!passes || seen.has(input.node)) continue;
        seen.add(input.node);
        pending.push(input.node);
      }
    }
    const ascending = [...seen].sort((a, b) => a.id - b.id);
    if (wanted === undefined) return new Set(ascending);
    const leading = new Set<Node>();
    for (const node of ascending) {
      const inner = node.variable === undefined;
      const leads = inner && node.inputs.some((input) => leading.has(input.node));
      if (leads || wanted.has(node)) leading.add(node);
    }
    return leading;
  }

  #pull(node: Node, grads: readonly (Tensor | null)[], passed: ReadonlySet<Node>): void {
    const needed = node.inputs.map((input) => needsGradient(input) && passed.has(input.node));
    if (node.variable !== undefined || !needed.includes(true)) return;
    if (node.op.vjp === 'nondiff') {
      throw opError(
        AutogradError,
        node.op.name,
        `has no gradient${node.scope === '' ? '' : ` (made at ${node.scope})`}; detach() its input`,
      );
    }
    const { vjp } = node.op;
    // Gradient nodes carry the path of the module whose forward they belong to.
    withScope(node.scope, () => {
      const context = {
        inputs: node.inputs.map((input) => new Tensor(input)),
        outputs: node.outputs.map((_, index) => new Tensor({ node, index })),
        grads,
        attrs: node.attrs as never,
      };
      const results = differentiating(node, () => vjp(context));
      assert(results.length === node.inputs.length, `vjp of ${node.op.name}: ${results.length}`);
      for (const [i, input] of node.inputs.entries()) {
        const result = results[i];
        if (needed[i] && result) this.#accumulate(input, fitTo(result, input));
      }
    });
  }

  #accumulate(value: Value, gradient: Tensor): void {
    let grads = this.#grads.get(value.node);
    if (grads === undefined) {
      grads = value.node.outputs.map(() => null);
      this.#grads.set(value.node, grads);
    }
    const before = grads[value.index];
    grads[value.index] = before ? ops().add(before, gradient) : gradient;
  }
}

function needsGradient(value: Value): boolean {
  return value.node.requires_grad && isFloating(valueType(value).dtype);
}

/** The one place where broadcasting and promotion are undone. */
function fitTo(gradient: Tensor, input: Value): Tensor {
  const { dtype, shape } = valueType(input);
  const summed = sameShape(gradient.shape, shape) ? gradient : ops().sumTo(gradient, shape);
  return summed.dtype === dtype ? summed : ops().cast(summed, dtype);
}
