/** Whether ops record what a gradient needs. */

let enabled = true;

export function isGradEnabled(): boolean {
  return enabled;
}

/**
 * Runs `body` without recording: its results do not require gradients.
 * `body` must be synchronous. https://pytorch.org/docs/stable/generated/torch.no_grad.html
 */
export function noGrad<T>(body: () => T): T {
  return setGradEnabled(false, body);
}

/** Runs `body` recording, also inside `noGrad`. */
export function enableGrad<T>(body: () => T): T {
  return setGradEnabled(true, body);
}

export function setGradEnabled<T>(mode: boolean, body: () => T): T {
  const before = enabled;
  enabled = mode;
  try {
    return body();
  } finally {
    enabled = before;
  }
}
