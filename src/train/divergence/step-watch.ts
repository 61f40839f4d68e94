/**
 * Looks into one eager training step: which module was the first to give something that is not
 * finite, on the way forward or on the way back.
 */

import { isFloating } from '../../base/dtype.ts';
import { noGrad } from '../../core/grad-mode.ts';
import type { RemovableHandle } from '../../core/hooks.ts';
import { Tensor } from '../../core/tensor.ts';
import type { AnyModule } from '../../nn/module.ts';
import type { Totals } from '../loop/totals.ts';
import { evaluate, type Task, takeStep } from '../task/task.ts';

type Flaw = 'NaN' | 'an infinity';

/** What a tensor holds that is not finite. Computes and waits. */
export function flawOf(value: unknown): Flaw | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const flaw = flawOf(item);
      if (flaw !== undefined) return flaw;
    }
    return undefined;
  }
  if (!(value instanceof Tensor) || !isFloating(value.dtype)) return undefined;
  return noGrad(() => {
    const tensor = value.detach();
    if (tensor.isnan().any().item()) return 'NaN';
    return tensor.isinf().any().item() ? 'an infinity' : undefined;
  });
}

/**
 * Takes the step that a batch leads to, watching. Returns what gave the first value that is not
 * finite, in words; nothing when everything stayed finite.
 */
export function watchStep(
  task: Task,
  totals: Totals,
  input: Tensor,
  target: Tensor,
): string | undefined {
  const watch = new StepWatch(task);
  const watched: Task = {
    ...task,
    clipGradients() {
      watch.beforeClipping();
      task.clipGradients();
      watch.afterClipping();
    },
  };
  try {
    takeStep(watched, totals, input, target);
    watch.afterUpdate();
  } finally {
    watch.remove();
  }
  return watch.found;
}

/** `watchStep` without the step: forward and loss alone, of a model in evaluation mode. */
export function watchForward(task: Task, input: Tensor, target: Tensor): string | undefined {
  const watch = new StepWatch(task);
  try {
    noGrad(() => evaluate(task, input, target));
  } finally {
    watch.remove();
  }
  return watch.found;
}

class StepWatch {
  /** The first fault, in words. */
  found: string | undefined;
  readonly #handles: RemovableHandle[] = [];
  /** Modules on the way back that were given finite gradients, innermost first. */
  readonly #backward: { readonly name: string; readonly module: AnyModule; gives: boolean }[] = [];

  constructor(readonly task: Task) {
    for (const [path, module] of task.model.namedModules())
      this.#watch(named(path, module), module);
    this.#watch(`the loss (${task.loss.constructor.name})`, task.loss);
  }

  #watch(name: string, module: AnyModule): void {
    this.#handles.push(
      module.registerForwardHook((_, inputs, output) => {
        if (this.found !== undefined) return;
        const flaw = flawOf(output);
        if (flaw === undefined) return;
        const given = flawOf(inputs) ?? 'finite inputs';
        this.found = `${name} gave ${flaw} in forward, from ${given}`;
      }),
      module.registerFullBackwardHook((_, grad_input, grad_output) => {
        if (this.found !== undefined || flawOf(grad_output) !== undefined) return;
        this.#backward.push({ name, module, gives: flawOf(grad_input) !== undefined });
      }),
    );
  }

  /** Gradients as backward left them. */
  beforeClipping(): void {
    if (this.found !== undefined) return;
    const broken = this.#brokenGradient();
    const origin = this.#originOf();
    if (broken === undefined && !origin?.gives) return;
    const gradient = broken && `the gradient of ${broken}`;
    if (origin === undefined) this.found = `${gradient} in backward`;
    else {
      const what = gradient === undefined ? 'gradients that are not finite' : gradient;
      this.found = `${origin.name} gave, in backward, ${what}`;
    }
  }

  /** Containers come into question when no module inside them does: their own forward did it. */
  #originOf() {
    const breaks = (module: AnyModule, recurse: boolean) =>
      module.parameters({ recurse }).some(({ grad }) => flawOf(grad) !== undefined);
    return (
      this.#backward.find(({ gives, module }) => gives || breaks(module, false)) ??
      this.#backward.findLast(({ module }) => breaks(module, true))
    );
  }

  afterClipping(): void {
    const broken = this.found === undefined ? this.#brokenGradient() : undefined;
    if (broken !== undefined) this.found = `clipping made ${broken}, from finite gradients`;
  }

  afterUpdate(): void {
    if (this.found !== undefined) return;
    for (const [path, parameter] of this.task.model.namedParameters()) {
      const flaw = flawOf(parameter);
      if (flaw === undefined) continue;
      const by = this.task.optimizer.constructor.name;
      this.found = `the update of ${path} by ${by} gave ${flaw}, from a finite gradient`;
      return;
    }
  }

  /** `3.weight is NaN`: the first parameter, from the output's side, whose gradient is broken. */
  #brokenGradient(): string | undefined {
    for (const [path, { grad }] of this.task.model.namedParameters().reverse()) {
      const flaw = flawOf(grad);
      if (flaw !== undefined) return `${path}, which is ${flaw}`;
    }
    return undefined;
  }

  remove(): void {
    for (const handle of this.#handles) handle.remove();
  }
}

/** As in the table of `torchts validate`. */
function named(path: string, module: AnyModule): string {
  const type = module.constructor.name;
  return path === '' ? `the model (${type})` : `layer ${path} (${type})`;
}
