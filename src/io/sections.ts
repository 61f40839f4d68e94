/**
 * Files to be mapped: named sections of bytes, each from the beginning of a page on.
 *
 *     bytes 0-7    "torchts" and 26, which ends a text
 *           8-11   the version of the format, as all numbers little-endian
 *           12-15  the length of the header
 *           16-47  the SHA-256 of the header
 *           64-    the header: JSON of `Header`, up to the end of the first page
 *           4096-  the sections in order; zeros fill the last page of all but the last
 *
 * Sizes are checked before they are used, and the file must end where they say. The SHA-256 of each
 * section is in the header; who reads all of one can compare, see `isWhole`.
 */

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { FileError } from '../base/errors.ts';
import { INTERPRETED } from '../base/registry.ts';
import { buildFileAtomic } from './atomic.ts';
import { FileBytes, OpenFile } from './open-file.ts';

const MAGIC = Buffer.from('torchts\x1a', 'latin1');
const VERSION = 1;
const PAGE = 4096;
const HEADER_START = 64;
const MAX_HEADER_BYTES = PAGE - HEADER_START;

const size = z.int().min(0);

const sectionSchema = z.strictObject({
  name: z.string().min(1),
  offset: size,
  length: size,
  sha256: z.string().length(64),
});

const headerSchema = z.strictObject({
  /** What the sections are of. */
  kind: z.string(),
  /** What the kind needs to know beside them. */
  meta: z.unknown(),
  sections: z.array(sectionSchema),
});

type Header = z.output<typeof headerSchema>;
type SectionEntry = z.output<typeof sectionSchema>;

export interface Section {
  readonly name: string;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * Writes a file atomically, one section after the other. `meta`, which JSON can hold, is asked for
 * when all are written, and each section once those before it are. Throws a `FileError` as
 * `buildFileAtomic`.
 */
export async function writeSections(
  path: string,
  content: { kind: string; sections: Iterable<Section>; meta: () => unknown },
): Promise<void> {
  await buildFileAtomic(path, async (handle) => {
    await handle.writeFile(Buffer.alloc(PAGE));
    const entries: SectionEntry[] = [];
    let end = PAGE;
    for (const section of content.sections) {
      const offset = pageAfter(end);
      await handle.writeFile(Buffer.alloc(offset - end));
      const written = await writeSection(handle, section);
      entries.push({ name: section.name, offset, ...written });
      end = offset + written.length;
    }
    const page = headerPage({ kind: content.kind, meta: content.meta(), sections: entries });
    await handle.write(page, 0, page.length, 0);
  });
}

function pageAfter(end: number): number {
  return Math.ceil(end / PAGE) * PAGE;
}

async function writeSection(handle: FileHandle, { chunks }: Section) {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    await handle.writeFile(chunk);
    length += chunk.length;
  }
  return { length, sha256: hash.digest('hex') };
}

function headerPage(header: Header): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  if (json.length > MAX_HEADER_BYTES) {
    throw new FileError(`a header of ${json.length} bytes is longer than ${MAX_HEADER_BYTES}`);
  }
  const page = Buffer.alloc(HEADER_START + json.length);
  MAGIC.copy(page);
  page.writeUInt32LE(VERSION, 8);
  page.writeUInt32LE(json.length, 12);
  createHash('sha256').update(json).digest().copy(page, 16);
  json.copy(page, HEADER_START);
  return page;
}

export interface SectionFile {
  readonly meta: unknown;
  has(name: string): boolean;
  /** The bytes of a section, read when they are asked for. Throws a `FileError` without it. */
  bytes(name: string): FileBytes;
  /** All of a section. Throws a `FileError` when it is damaged. */
  read(name: string): Uint8Array;
  /** Whether a section has the bytes that were written; reads all of it. */
  isWhole(name: string): boolean;
  close(): void;
}

/** Opens a file and checks its header. Throws a `FileError` when it is damaged or another kind. */
export function openSections(path: string, kind: string): SectionFile {
  const file = new OpenFile(path);
  try {
    const { meta, sections } = readHeader(file, kind);
    const entry = (name: string) => {
      const found = sections.find((section) => section.name === name);
      if (found === undefined) throw new FileError(`${path}: has no ${name}`);
      return found;
    };
    const bytes = (name: string) => new FileBytes(file, entry(name).offset, entry(name).length);
    const isWhole = (name: string) => digestOf(bytes(name)) === entry(name).sha256;
    const read = (name: string) => {
      if (isWhole(name)) return bytes(name).subarray(0, bytes(name).length);
      throw new FileError(`${path}: its ${name} are damaged`);
    };
    const has = (name: string) => sections.some((section) => section.name === name);
    return { meta, has, bytes, read, isWhole, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

const CHUNK = 2 ** 22;

function digestOf(bytes: FileBytes): string {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += CHUNK) {
    hash.update(bytes.subarray(at, Math.min(bytes.length, at + CHUNK)));
  }
  return hash.digest('hex');
}

function readHeader(file: OpenFile, kind: string): Header {
  const fail = (message: string) => new FileError(`${file.path}: ${message}`);
  if (file.size < PAGE) throw fail(`${file.size} bytes are too few for a file of sections`);
  const page = Buffer.from(file.read(0, PAGE).buffer);
  if (!page.subarray(0, MAGIC.length).equals(MAGIC)) throw fail('is no file of sections');
  const version = page.readUInt32LE(8);
  if (version !== VERSION) throw fail(`has version ${version} of the format, not ${VERSION}`);
  const length = page.readUInt32LE(12);
  if (length > MAX_HEADER_BYTES) throw fail(`declares a header of ${length} bytes`);
  const json = page.subarray(HEADER_START, HEADER_START + length);
  const digest = createHash('sha256').update(json).digest();
  if (!digest.equals(page.subarray(16, 48))) throw fail('its header is damaged');
  const parsed = parsedHeader(json.toString());
  if (parsed === undefined) throw fail('its header is malformed');
  if (parsed.kind !== kind) throw fail(`holds ${parsed.kind}, not ${kind}`);
  checkEnds(parsed.sections, file.size, fail);
  return parsed;
}

function parsedHeader(text: string): Header | undefined {
  try {
    return headerSchema.parse(JSON.parse(text), INTERPRETED);
  } catch {
    return undefined;
  }
}

/** The sections come one after the other, and the file ends with the last. */
function checkEnds(
  sections: readonly SectionEntry[],
  fileSize: number,
  fail: (message: string) => FileError,
): void {
  let end = PAGE;
  for (const { name, offset, length } of sections) {
    if (offset !== pageAfter(end)) throw fail(`its ${name} begin at byte ${offset}`);
    end = offset + length;
    if (end > fileSize) throw fail(`has ${fileSize} bytes, but its ${name} end at byte ${end}`);
  }
  if (end !== fileSize) throw fail(`has ${fileSize} bytes, but should end at byte ${end}`);
}
