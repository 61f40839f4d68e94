/**
 * Columns of Parquet files, decoded by hyparquet, a row group at a time and without waiting: what a
 * table's samples look like depends on what is in it. https://parquet.apache.org/docs/file-format/
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { brotliDecompressSync, unzipSync } from 'node:zlib';
import { type Compressors, type FileMetaData, parquetMetadata, parquetSchema } from 'hyparquet';
import { readColumn } from 'hyparquet/src/column.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { getTreePath } from 'hyparquet/src/schema.js';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { decompressLz4, decompressLz4Raw, decompressZstd } from 'hyparquet-compressors';
import { FileError } from '../base/errors.ts';

/** A column of nothing but repetitions takes a few bytes in the file, and all of this in memory. */
const MOST_ROWS = 2e7;
const MOST_BYTES = 2 ** 31;
/** The length of the footer, and the name of the format. */
const TAIL = 8;

/** None makes more than `size` bytes; hyparquet compares. */
const COMPRESSORS: Compressors = {
  GZIP: (packed, size) => unzipSync(packed, { maxOutputLength: Math.max(1, size) }),
  BROTLI: (packed, size) => brotliDecompressSync(packed, { maxOutputLength: Math.max(1, size) }),
  ZSTD: (packed, size) => decompressZstd(packed, new Uint8Array(size)),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};

/** What a column holds for a row: a number, text, bytes, nothing, or something nested. */
export type Value = unknown;

export class ParquetFile {
  readonly #metadata: FileMetaData;

  /** Reads the footer. Throws a `FileError` that names the file. */
  constructor(readonly path: string) {
    this.#metadata = this.#read((descriptor, size) => {
      const tail = bytesAt(descriptor, size, Math.max(0, size - TAIL), size);
      const footer = tail.getUint32(0, true) + TAIL;
      const start = Math.max(0, size - footer);
      return parquetMetadata(bytesAt(descriptor, size, start, size).buffer as ArrayBuffer);
    });
    if (this.rows > MOST_ROWS) {
      throw new FileError(`${path}: declares ${this.rows} rows, more than ${MOST_ROWS}`);
    }
  }

  get rows(): number {
    return this.#metadata.row_groups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
  }

  get groups(): number {
    return this.#metadata.row_groups.length;
  }

  groupRows(group: number): number {
    return Number(this.#metadata.row_groups[group]!.num_rows);
  }

  /** The columns at the top, in the file's order. */
  get columns(): { name: string; isNested: boolean }[] {
    const { children } = this.#read(() => parquetSchema(this.#metadata));
    return children.map((child) => ({
      name: child.element.name,
      isNested: child.children.length > 0 || child.element.repetition_type === 'REPEATED',
    }));
  }

  /** What the writer noted under `key`. */
  note(key: string): string | undefined {
    return this.#metadata.key_value_metadata?.find((pair) => pair.key === key)?.value;
  }

  /**
   * A column's values in one row group; `column` is its name, or the path to a part of a struct.
   * Bytes that are no text stay bytes where `asText` is false. Throws a `FileError`.
   */
  values(group: number, column: readonly string[], { asText = true } = {}): Value[] {
    return this.#read((descriptor, size) => {
      const rowGroup = this.#metadata.row_groups[group]!;
      const meta = rowGroup.columns
        .map((chunk) => chunk.meta_data)
        .find((found) => found?.path_in_schema.join('\0') === column.join('\0'));
      if (meta === undefined) throw new Error(`has no column ${column.join('.')}`);
      const rows = Number(rowGroup.num_rows);
      const unpacked = Number(meta.total_uncompressed_size);
      if (rows < 0 || unpacked > MOST_BYTES) throw new Error(`declares ${unpacked} bytes`);
      const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
      const view = bytesAt(descriptor, size, start, start + Number(meta.total_compressed_size));
      checkPages(view, { rows, unpacked });
      const schemaPath = getTreePath(parquetSchema(this.#metadata), [...column]);
      const decoder = {
        pathInSchema: [...column],
        element: schemaPath.at(-1)!.element,
        schemaPath,
        ...meta,
        parsers: DEFAULT_PARSERS,
        compressors: COMPRESSORS,
        utf8: asText,
      } as Parameters<typeof readColumn>[2];
      const select = { groupStart: 0, groupRows: rows, selectStart: 0, selectEnd: rows };
      const { data } = readColumn({ view, offset: 0 }, select, decoder);
      const values = data.flatMap((chunk) => Array.from(chunk as ArrayLike<Value>));
      if (values.length === rows) return column.length > 1 ? values.map(part) : values;
      throw new Error(`column ${column.join('.')} has ${values.length} values for ${rows} rows`);
    });
  }

  #read<T>(body: (descriptor: number, size: number) => T): T {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(this.path, 'r');
      return body(descriptor, fstatSync(descriptor).size);
    } catch (error) {
      const [reason] = (error as Error).message.split('\n');
      throw new FileError(`cannot read ${this.path}: ${reason}`);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }
}

/** A part of a struct comes in a list of its own, empty where there is no struct. */
function part(value: Value): Value {
  return Array.isArray(value) ? value[0] : value;
}

function bytesAt(descriptor: number, size: number, start: number, end: number): DataView {
  if (!(start >= 0 && start <= end && end <= size)) {
    throw new Error(`it has ${size} bytes, but bytes ${start} to ${end} are asked for`);
  }
  const bytes = new Uint8Array(end - start);
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(descriptor, bytes, done, bytes.length - done, start + done);
    if (read === 0) throw new Error(`ended at byte ${start + done} while being read`);
    done += read;
  }
  return new DataView(bytes.buffer);
}

interface Limits {
  readonly rows: number;
  readonly unpacked: number;
}

/** Throws where a page declares more than its column: memory is taken by what pages declare. */
function checkPages(view: DataView, { rows, unpacked }: Limits): void {
  const reader = { view, offset: 0 };
  while (reader.offset < view.byteLength - 1) {
    const header = deserializeTCompactProtocol(reader) as Record<string, unknown>;
    const {
      field_2: size,
      field_3: packed,
      field_5: v1,
      field_7: dictionary,
      field_8: v2,
    } = header;
    const counts = [v1, dictionary, v2].map((part) => (part as { field_1?: number })?.field_1 ?? 0);
    if (
      ![...counts, size, packed].every((value) => Number.isInteger(value) && Number(value) >= 0)
    ) {
      throw new Error('a page is damaged');
    }
    // A page of no dictionary may hold several values a row where they are lists.
    if (Math.max(...counts) > rows || Number(size) > unpacked) {
      throw new Error(`a page declares ${Math.max(...counts)} values and ${size} bytes`);
    }
    reader.offset += Number(packed);
  }
}
