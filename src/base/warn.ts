/** Warnings: what works but is likely not what was meant. */

const given = new Set<string>();

/** Warns through Node, once for each message. */
export function warnOnce(message: string): void {
  if (given.has(message)) return;
  given.add(message);
  process.emitWarning(message, 'TorchtsWarning');
}
