/** Steps of the optimizers, one element after the other, and the norm that clips gradients. */

import type { AdamAttrs, SgdAttrs } from '../kernels.ts';
import { check, checkFloating, checkShape, type KernelCall, type Run } from './kernel.ts';

export function fusedSgd(call: KernelCall<'fused_sgd'>): Run {
  const { momentum, nesterov, scaled } = call.attrs;
  const operands = momentum === 0 ? 2 : 3;
  const first = checkUpdate(call, scaled ? 3 : 2, operands);
  return (inputs, outputs) => {
    const [lr, damping] = [inputs[0]![0]!, inputs[1]![0]!];
    const scale = scaled ? inputs[2]![0]! : 1;
    for (let i = first, out = 0; i < inputs.length; i += operands, out += operands - 1) {
      const [p, g, m] = inputs.slice(i, i + operands);
      for (let k = 0; k < p!.length; k++) {
        let direction = stepGradient(call.attrs, scale * g![k]!, p![k]!);
        if (m !== undefined) {
          const buffer = momentum * m[k]! + damping * direction;
          outputs[out + 1]![k] = buffer;
          direction = nesterov ? direction + momentum * buffer : buffer;
        }
        outputs[out]![k] = p![k]! - lr * direction;
      }
    }
  };
}

export function fusedAdam(call: KernelCall<'fused_adam'>): Run {
  const { beta1, beta2, eps, amsgrad, scaled } = call.attrs;
  const operands = amsgrad ? 5 : 4;
  const first = checkUpdate(call, scaled ? 4 : 3, operands);
  return (inputs, outputs) => {
    const [step_size, root_scale, keep] = inputs.slice(0, 3).map((scalar) => scalar[0]!);
    const scale = scaled ? inputs[3]![0]! : 1;
    for (let i = first, out = 0; i < inputs.length; i += operands, out += operands - 1) {
      const [p, g, m, v, x] = inputs.slice(i, i + operands);
      for (let k = 0; k < p!.length; k++) {
        const gradient = stepGradient(call.attrs, scale * g![k]!, p![k]!);
        const mean = beta1 * m![k]! + (1 - beta1) * gradient;
        const square = beta2 * v![k]! + (1 - beta2) * gradient * gradient;
        const largest = x === undefined ? square : Math.max(x[k]!, square);
        const root = Math.sqrt(largest) * root_scale! + eps;
        outputs[out]![k] = keep! * p![k]! - (step_size! * mean) / root;
        outputs[out + 1]![k] = mean;
        outputs[out + 2]![k] = square;
        if (x !== undefined) outputs[out + 3]![k] = largest;
      }
    }
  };
}

/** The gradient that a step takes, of one element. */
function stepGradient(
  { maximize, weight_decay }: SgdAttrs | AdamAttrs,
  gradient: number,
  parameter: number,
): number {
  return (maximize ? -gradient : gradient) + weight_decay * parameter;
}

/** Checks that `operands` tensors of one shape follow the scalars for each parameter. */
function checkUpdate(
  call: KernelCall<'fused_sgd' | 'fused_adam'>,
  scalars: number,
  operands: number,
): number {
  const { inputs, outputs } = call;
  const parameters = (inputs.length - scalars) / operands;
  check(
    Number.isInteger(parameters) &&
      parameters >= 1 &&
      outputs.length === parameters * (operands - 1),
    `takes ${scalars} scalars and ${operands} tensors a parameter and gives ${operands - 1}, ` +
      `got ${inputs.length} inputs and ${outputs.length} outputs`,
  );
  checkFloating(call);
  for (const { shape } of inputs.slice(0, scalars)) checkShape('a scalar', shape, []);
  for (let k = 0; k < parameters; k++) {
    const [first, out] = [scalars + k * operands, k * (operands - 1)];
    const rest = [
      ...inputs.slice(first + 1, first + operands),
      ...outputs.slice(out, out + operands - 1),
    ];
    for (const { shape } of rest) {
      checkShape(`every tensor of parameter ${k}`, shape, inputs[first]!.shape);
    }
  }
  return scalars;
}

export function clipNorm(call: KernelCall<'clip_norm'>): Run {
  const { max_norm, norm_type } = call.attrs;
  check(call.inputs.length >= 1 && call.outputs.length === 2, 'takes tensors and gives 2 scalars');
  check(norm_type > 0, `norm_type must be positive, got ${norm_type}`);
  checkFloating(call);
  for (const { shape } of call.outputs) checkShape('an output', shape, []);
  return (inputs, [norm, scale]) => {
    let total = 0;
    for (const input of inputs) {
      for (const value of input) {
        const size = Math.abs(value);
        total = norm_type === Infinity ? Math.max(total, size) : total + size ** norm_type;
      }
    }
    norm![0] = norm_type === Infinity ? total : total ** (1 / norm_type);
    scale![0] = Math.min(1, max_norm / (norm![0]! + 1e-6));
  };
}
