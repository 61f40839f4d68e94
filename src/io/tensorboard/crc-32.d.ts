/** The package has types for its other polynomial only; both files have the same functions. */
declare module 'crc-32/crc32c.js' {
  const crc32c: Pick<typeof import('crc-32'), 'buf'>;
  export = crc32c;
}
