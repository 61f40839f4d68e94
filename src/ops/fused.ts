/**
 * `defineFused`: an op of two kernels, forward and backward, beside the same function written in
 * ordinary ops. That composite is what the kernels are tested against, what runs while the op is
 * switched off by its name (engine/switches.ts), and where second derivatives come from.
 */

import { isFloating } from '../base/dtype.ts';
import { AutogradError, opError } from '../base/errors.ts';
import { applyAll } from '../core/apply.ts';
import { grad } from '../core/autograd.ts';
import { enableGrad } from '../core/grad-mode.ts';
import type { Op, VjpContext } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import type { ValueType } from '../engine/program.ts';
import { isOff } from '../engine/switches.ts';
import type { KernelCall, LowerContext, OpKind } from '../plan/graph.ts';
import { zeros } from './creation.ts';
import { defineOp } from './define.ts';
import { same } from './movement.ts';

export interface FusedOp<Attrs extends object> {
  readonly name: string;
  readonly kind: OpKind;
  /** The shape rule: the composite's outputs first, then what forward saves for backward. */
  infer(inputs: readonly ValueType[], attrs: Attrs): ValueType[];
  /** The same outputs by ordinary ops, without the saved ones. */
  composite(inputs: readonly Tensor[], attrs: Attrs): readonly Tensor[];
  /** Inputs -> outputs, then saved outputs. */
  forward(context: LowerContext<Attrs>): KernelCall;
  /** Gradients of the differentiable outputs, then what `reads` names -> `gradients`. */
  backward(context: LowerContext<Attrs>): KernelCall;
  /** How many outputs a caller gets; 1 where it is left out. */
  readonly results?: number;
  /** How many of these, from the first on, pass gradients back; by default all. */
  readonly differentiable?: number;
  /** The numbers of the inputs that backward gives a gradient for; by default the floating ones. */
  gradients?(inputs: readonly ValueType[], attrs: Attrs): readonly number[];
  /**
   * What the backward kernel reads, chosen from the operands of the forward call (which are given
   * here as numbers; one that is not there is `undefined`, and may be returned). By default all.
   */
  reads?(
    inputs: readonly number[],
    outputs: readonly number[],
    attrs: Attrs,
  ): readonly (number | undefined)[];
  flops?: Op<Attrs>['flops'];
}

/** Calls a fused op, or its composite where it is switched off: the outputs a caller gets. */
export type FusedCall<Attrs> = (inputs: readonly Tensor[], attrs: Attrs) => readonly Tensor[];

const names: string[] = [];

/** The name of every fused op. */
export function fusedOps(): readonly string[] {
  return names;
}

/** Adds the rows `name` and `name_backward`. */
export function defineFused<Attrs extends object>(op: FusedOp<Attrs>): FusedCall<Attrs> {
  names.push(op.name);
  const results = op.results ?? 1;
  const differentiable = op.differentiable ?? results;
  const backward = backwardRow(op, differentiable);
  const forward = defineOp<Attrs>({
    name: op.name,
    kind: op.kind,
    infer: op.infer,
    vjp: (context) => pullBack(op, backward, differentiable, context),
    lower: op.forward,
    flops: op.flops,
  });
  return (inputs, attrs) => {
    const passed = gradientsOf(op, inputs.map(typeOf), attrs);
    // A gradient that backward does not give must come from the composite, never be lost.
    const complete = inputs.every((input, i) => !input.requires_grad || passed.includes(i));
    if (isOff(op.name) || !complete) return op.composite(inputs, attrs);
    return applyAll(forward, inputs, attrs).slice(0, results);
  };
}

function typeOf({ dtype, shape }: Tensor): ValueType {
  return { dtype, shape };
}

function gradientsOf<Attrs extends object>(
  op: FusedOp<Attrs>,
  inputs: readonly ValueType[],
  attrs: Attrs,
): readonly number[] {
  if (op.gradients !== undefined) return op.gradients(inputs, attrs);
  return inputs.flatMap(({ dtype }, i) => (isFloating(dtype) ? [i] : []));
}

/** The forward row's gradient: one call of the backward row. */
function pullBack<Attrs extends object>(
  op: FusedOp<Attrs>,
  row: Op<BackwardAttrs<Attrs>>,
  differentiable: number,
  { inputs, outputs, grads, attrs }: VjpContext<Attrs>,
): (Tensor | null)[] {
  const lost = grads.findIndex((g, i) => g !== null && i >= differentiable);
  if (lost !== -1) {
    throw opError(AutogradError, op.name, `output ${lost} passes no gradient back; detach() it`);
  }
  const cotangents = outputs
    .slice(0, differentiable)
    .map(({ shape, dtype }, i) => grads[i] ?? zeros(shape, { dtype }));
  const found = applyAll(row, [...cotangents, ...inputs, ...outputs], {
    ...attrs,
    forward_inputs: inputs.length,
  });
  const gradients = new Array<Tensor | null>(inputs.length).fill(null);
  for (const [i, input] of gradientsOf(op, inputs.map(typeOf), attrs).entries()) {
    gradients[input] = found[i]!;
  }
  return gradients;
}

/** Those of the forward call, and how many inputs it had. */
type BackwardAttrs<Attrs> = Attrs & { readonly forward_inputs: number };

/** Its inputs are the output gradients, then the forward call's inputs and all its outputs. */
function backwardRow<Attrs extends object>(
  op: FusedOp<Attrs>,
  cotangents: number,
): Op<BackwardAttrs<Attrs>> {
  const inputsOf = <T>(all: readonly T[], attrs: BackwardAttrs<Attrs>) =>
    all.slice(cotangents, cotangents + attrs.forward_inputs);
  return defineOp<BackwardAttrs<Attrs>>({
    name: `${op.name}_backward`,
    kind: op.kind,
    infer(all, attrs) {
      const inputs = inputsOf(all, attrs);
      return gradientsOf(op, inputs, attrs).map((i) => inputs[i]!);
    },
    // Each product of the forward call has two in the backward one.
    flops: (all, _, attrs) =>
      2 *
      (op.flops?.(inputsOf(all, attrs), all.slice(cotangents + attrs.forward_inputs), attrs) ?? 0),
    lower({ inputs: all, outputs, attrs }) {
      const operands = operandsRead(op, all.length, cotangents, attrs);
      const inputs = operands.map((i) => all[i]!);
      return { ...op.backward({ inputs, outputs, attrs }), operands };
    },
    vjp({ inputs: all, grads, attrs }) {
      const gradients = secondDerivatives(op, {
        cotangents: all.slice(0, cotangents),
        inputs: inputsOf(all, attrs),
        grads,
        attrs,
      });
      // The saved outputs depend on the inputs alone, which have all of the gradient.
      return all.map((_, i) => gradients[i] ?? null);
    },
  });
}

function operandsRead<Attrs extends object>(
  op: FusedOp<Attrs>,
  count: number,
  cotangents: number,
  attrs: BackwardAttrs<Attrs>,
): number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  if (op.reads === undefined) return all;
  const firstOutput = cotangents + attrs.forward_inputs;
  const read = op.reads(all.slice(cotangents, firstOutput), all.slice(firstOutput), attrs);
  return [...all.slice(0, cotangents), ...read.filter((operand) => operand !== undefined)];
}

/** The gradient of `grads . gradients(cotangents, inputs)` by each cotangent and each input. */
function secondDerivatives<Attrs extends object>(
  op: FusedOp<Attrs>,
  {
    cotangents,
    inputs,
    grads,
    attrs,
  }: {
    readonly cotangents: readonly Tensor[];
    readonly inputs: readonly Tensor[];
    readonly grads: readonly (Tensor | null)[];
    readonly attrs: Attrs;
  },
): (Tensor | null)[] {
  const find = (): (Tensor | null)[] => {
    // Under identities of their own, inputs that depend on one another are varied one at a time.
    const points = [...cotangents, ...inputs].map(same);
    const seeds = points.slice(0, cotangents.length);
    const given = points.slice(cotangents.length);
    const first = firstDerivatives(op, given, seeds, attrs);
    const passed = gradientsOf(op, given.map(typeOf), attrs);
    const reached = passed.flatMap((input, i) => {
      const [output, seed] = [first[input], grads[i]];
      return output?.requires_grad && seed ? [{ output, seed }] : [];
    });
    if (reached.length === 0) return [];
    return grad(
      reached.map(({ output }) => output),
      points,
      {
        grad_outputs: reached.map(({ seed }) => seed),
        create_graph: true,
        allow_unused: true,
      },
    );
  };
  return enableGrad(find);
}

/** The composite's gradients by each input, as graph over `inputs` and `seeds`. */
function firstDerivatives<Attrs extends object>(
  op: FusedOp<Attrs>,
  inputs: readonly Tensor[],
  seeds: readonly Tensor[],
  attrs: Attrs,
): (Tensor | null)[] {
  const pairs = op
    .composite(inputs, attrs)
    .slice(0, seeds.length)
    .map((output, i) => ({ output, seed: seeds[i]! }))
    .filter(({ output }) => output.requires_grad);
  return grad(
    pairs.map(({ output }) => output),
    inputs,
    { grad_outputs: pairs.map(({ seed }) => seed), create_graph: true, allow_unused: true },
  );
}
