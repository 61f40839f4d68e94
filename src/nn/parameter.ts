/** The tensors that are a module's state. */

import { Tensor } from '../core/tensor.ts';

/** Changes of what trace keys depend on: any module's mode, hooks or parts, any `requires_grad`. */
let changes = 0;

/** To be called after such a change. */
export function modulesChanged(): void {
  changes++;
}

export function moduleChanges(): number {
  return changes;
}

/**
 * A tensor that is trained: a leaf that requires a gradient.
 * https://pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
 */
export class Parameter extends Tensor {
  constructor(data: Tensor, requires_grad = true) {
    super(data.value);
    this.requires_grad_(requires_grad);
  }

  override requires_grad_(requires_grad = true): this {
    modulesChanged();
    return super.requires_grad_(requires_grad);
  }
}

/**
 * A tensor that belongs to a module's state but is not trained. The state_dict holds those that are
 * persistent. https://pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html
 */
export class Buffer extends Tensor {
  constructor(
    data: Tensor,
    readonly persistent = true,
  ) {
    super(data.detach().value);
  }
}
