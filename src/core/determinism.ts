/**
 * PyTorch's switch for deterministic algorithms. There are no others here: results repeat bit for
 * bit.
 */

/** True: every kernel is deterministic for a number of threads. */
export function areDeterministicAlgorithmsEnabled(): boolean {
  return true;
}

/**
 * Changes nothing, whatever `mode` is: programs written for PyTorch run as they are.
 * https://pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html
 */
export function useDeterministicAlgorithms(
  _mode: boolean,
  _options: { readonly warn_only?: boolean } = {},
): void {}
