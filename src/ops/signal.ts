/** `signal.windows`, as PyTorch's `torch.signal.windows`. */

export * as windows from './windows.ts';
