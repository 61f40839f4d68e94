/** Zip archives of any size, read piece by piece through yauzl. */

import type { ZipFile } from 'yauzl';
import { FileError } from '../base/errors.ts';
import type { Source } from './source.ts';

/**
 * The archive in `source`. Places that it claims for its parts are compared with its size: yauzl's
 * own reader hands them to the system, where one beyond 2^53 is thrown past every handler.
 */
export async function openZip(source: Source): Promise<ZipFile> {
  const { fromRandomAccessReaderPromise, RandomAccessReader } = await import('yauzl');
  class Reader extends RandomAccessReader {
    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: (error: Error | null) => void,
    ): void {
      if (!(position >= 0 && position + length <= source.size)) {
        callback(new FileError(`${source.name}: the archive speaks of bytes beyond its end`));
        return;
      }
      source.read(buffer.subarray(offset, offset + length), position).then(
        () => callback(null),
        (error: Error) => callback(error),
      );
    }
  }
  const reader = new Reader();
  return fromRandomAccessReaderPromise(reader, source.size, { autoClose: false });
}
