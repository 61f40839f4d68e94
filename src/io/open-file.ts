/** A file that stays open: the same bytes, even when another file takes its name. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FileError } from '../base/errors.ts';
import { fileError } from './atomic.ts';

/** Closes the files that nobody can read any more. */
const unreachable = new FinalizationRegistry<number>(closeSync);

/** One read call of the system moves less than 2^31 bytes. */
const MOST_AT_ONCE = 2 ** 30;

export class OpenFile {
  readonly fd: number;
  /** In bytes, when it was opened. */
  readonly size: number;

  /** Throws a `FileError` when it is missing or no file. */
  constructor(readonly path: string) {
    try {
      this.fd = openSync(path, 'r');
      unreachable.register(this, this.fd, this);
      const found = fstatSync(this.fd);
      if (!found.isFile()) throw new Error('is no file');
      this.size = found.size;
    } catch (error) {
      throw fileError(`cannot read ${path}`, error);
    }
  }

  /** Throws a `FileError` when the file has been shortened, or cannot be read. */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    try {
      for (let done = 0; done < length; ) {
        const wanted = Math.min(MOST_AT_ONCE, length - done);
        const read = readSync(this.fd, bytes, done, wanted, offset + done);
        if (read === 0) throw new Error(`ended at byte ${offset + done} while being read`);
        done += read;
      }
    } catch (error) {
      throw fileError(`cannot read ${this.path}`, error);
    }
    return bytes;
  }

  /** Not to be read after; garbage collection closes too. */
  close(): void {
    unreachable.unregister(this);
    closeSync(this.fd);
  }
}

/** Bytes of an open file, read each time they are asked for; an engine maps them. */
export class FileBytes {
  /** Throws a `FileError` when the file is shorter. */
  constructor(
    readonly file: OpenFile,
    readonly offset: number,
    readonly length: number,
  ) {
    const isWithin = offset >= 0 && length >= 0 && offset + length <= file.size;
    if (Number.isSafeInteger(offset + length) && isWithin) return;
    throw new FileError(
      `${file.path}: has ${file.size} bytes, but ${length} are asked for from byte ${offset} on`,
    );
  }

  get fd(): number {
    return this.file.fd;
  }

  get path(): string {
    return this.file.path;
  }

  /** A copy of these bytes, as of an array. Throws a `FileError` as `OpenFile` does. */
  subarray(begin: number, end: number): Uint8Array {
    return this.file.read(this.offset + begin, end - begin);
  }
}
