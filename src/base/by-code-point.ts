/** The order of Python's `sorted` of texts, whatever the locale; for `Array.prototype.sort`. */
export function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
