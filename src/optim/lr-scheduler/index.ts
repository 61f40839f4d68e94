/** `optim.lrScheduler`: schedules of the learning rate. Importing it registers every type. */

export { SWALR } from './averaging.ts';
export { ChainedScheduler, SequentialLR } from './combined.ts';
export { CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR } from './cycles.ts';
export {
  ConstantLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
} from './decay.ts';
export { ReduceLROnPlateau } from './plateau.ts';
export { LRScheduler, type PerGroup, Scheduler, type SchedulerState } from './scheduler.ts';
