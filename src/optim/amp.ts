/** `amp`: mixed precision. https://pytorch.org/docs/stable/amp.html */

export { type AutocastOptions, autocast } from '../core/autocast.ts';
export { GradScaler, type GradScalerOptions, type GradScalerState } from './grad-scaler.ts';
