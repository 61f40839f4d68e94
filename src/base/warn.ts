/** Warnings: what works but is likely not what was meant; and what users should know of. */

const given = new Set<string>();

/** Warns through Node, once for each message. */
export function warnOnce(message: string): void {
  if (given.has(message)) return;
  given.add(message);
  process.emitWarning(message, 'TorchtsWarning');
}

/** A line on standard error: what takes long, or was done unasked. */
export function tell(message: string): void {
  process.stderr.write(`torchts: ${message}\n`);
}
