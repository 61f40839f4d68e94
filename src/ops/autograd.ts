/** `autograd`: gradients, functions with gradients of one's own, and finding faults. */

export { detectAnomaly, isAnomalyEnabled, setDetectAnomaly } from '../core/anomaly.ts';
export {
  type BackwardOptions,
  backwardAll as backward,
  type GradOptions,
  grad,
} from '../core/autograd.ts';
export { enableGrad, isGradEnabled, noGrad, setGradEnabled } from '../core/grad-mode.ts';
export { gradcheck, gradgradcheck } from '../core/gradcheck.ts';
export type { GradientHook, RemovableHandle } from '../core/hooks.ts';
export * as functional from './autograd-functional.ts';
export {
  AutogradFunction as Function,
  type CustomFunction,
  customFunction,
  FunctionContext,
} from './custom-function.ts';
