/**
 * Downloading one file. What has arrived is kept in the cache with the server's word for which
 * version of the file it is (its ETag or date): a later attempt goes on where this one ended.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FileError } from '../../base/errors.ts';
import { bytes as sizeInWords } from '../../base/words.ts';
import { type Checksum, MOST_BYTES } from '../known-sets.ts';
import { cacheFolder } from '../paths.ts';

export interface FetchProgress {
  /** What is being done, in a few words. */
  readonly step: string;
  /** How far it is, in bytes or what `unit` says; 0 when that cannot be known. */
  readonly done: number;
  readonly total: number | undefined;
  readonly unit?: 'files';
}

export interface DownloadOptions {
  /** What the file must have. */
  readonly sum?: Checksum | undefined;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
  /** Stops the download; what has arrived is kept. */
  readonly signal?: AbortSignal | undefined;
  /** Gives up on a server that sends nothing for so long (ms). */
  readonly patience?: number | undefined;
}

const PATIENCE = 60_000;

/**
 * Puts the file at `url` to `target`, whole. A connection that breaks is taken up again as long as
 * each attempt brings something. Throws a `FileError` that names the URL.
 */
export async function download(
  url: string,
  target: string,
  options: DownloadOptions = {},
): Promise<void> {
  const partial = await partialOf(url);
  for (;;) {
    const before = await sizeOf(partial.file);
    try {
      await attempt(url, partial, options);
      break;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof Refused || (await sizeOf(partial.file)) <= before) throw error;
    }
  }
  const { sum, onProgress } = options;
  if (sum !== undefined) {
    onProgress?.({ step: `checking ${basename(url)}`, done: 0, total: undefined });
    const found = await digestOf(partial.file, sum.algorithm);
    if (found !== sum.digest) {
      await forget(partial);
      throw new FileError(`${url}: has ${sum.algorithm} ${found}, expected ${sum.digest}`);
    }
  }
  await rename(partial.file, target);
  await forget(partial);
}

/** The checksum of a file. Throws the system's error when it cannot be read. */
export async function digestOf(path: string, algorithm: Checksum['algorithm']): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Where what has arrived is kept. */
export function partialFolder(): string {
  return join(cacheFolder(), 'partial');
}

/** What has arrived of a file, and which version of it that is. */
interface Partial {
  readonly file: string;
  readonly version: string;
}

async function partialOf(url: string): Promise<Partial> {
  const folder = partialFolder();
  await mkdir(folder, { recursive: true });
  const id = createHash('sha256').update(url).digest('hex').slice(0, 16);
  const file = join(folder, `${id}-${basename(new URL(url).pathname)}`);
  return { file, version: `${file}.version` };
}

async function forget({ file, version }: Partial): Promise<void> {
  await rm(file, { force: true });
  await rm(version, { force: true });
}

/** An answer that another attempt would not change. */
class Refused extends FileError {}

async function attempt(url: string, partial: Partial, options: DownloadOptions): Promise<void> {
  const { onProgress, signal, patience = PATIENCE } = options;
  const watch = new Watch(patience, signal);
  try {
    const version = await readFile(partial.version, 'utf8').catch(() => undefined);
    const have = version === undefined ? 0 : await sizeOf(partial.file);
    const response = await request(url, { have, version, signal: watch.signal });
    const start = beginning(url, response, have);
    if (start === 0) await begin(partial, response);
    const length = response.headers.get('content-length');
    const total = length === null ? undefined : start + Number(length);
    if ((total ?? 0) > MOST_BYTES) throw new Refused(`${url}: has ${sizeInWords(total!)}`);
    const step = `downloading ${url}`;
    let done = start;
    onProgress?.({ step, done, total });
    const file = await open(partial.file, start === 0 ? 'w' : 'a');
    try {
      // Each piece is on disk before the next is asked for, so what came is there when it breaks.
      for await (const piece of response.body!) {
        watch.touch();
        done += piece.length;
        if (done > MOST_BYTES) throw new Refused(`${url}: has more than ${sizeInWords(done)}`);
        await file.appendFile(piece);
        onProgress?.({ step, done, total });
      }
    } finally {
      await file.close();
    }
    if (total !== undefined && done !== total) {
      throw new FileError(`${url}: ended after ${done} of ${total} bytes`);
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (watch.ranOut) throw new FileError(`${url}: sent nothing for ${patience / 1000} s`);
    throw error instanceof FileError ? error : new FileError(`${url}: ${causeOf(error)}`);
  } finally {
    watch.stop();
  }
}

/** Aborts when nothing has happened for a while, or when it is told to from outside. */
class Watch {
  readonly #idle = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(patience: number, outside: AbortSignal | undefined) {
    this.#timer = setTimeout(() => this.#idle.abort(), patience);
    this.signal = AbortSignal.any([this.#idle.signal, ...(outside ? [outside] : [])]);
  }

  get ranOut(): boolean {
    return this.#idle.signal.aborted;
  }

  touch(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

interface Part {
  readonly have: number;
  readonly version: string | undefined;
  readonly signal: AbortSignal;
}

async function request(url: string, { have, version, signal }: Part): Promise<Response> {
  // A packed file must arrive as it is.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (have > 0) Object.assign(headers, { range: `bytes=${have}-`, 'if-range': version });
  const response = await fetch(url, { signal, headers });
  // What is there is all of it, or more; the checksum tells, or it begins again.
  if (response.status === 416) return request(url, { have: 0, version: undefined, signal });
  if (response.ok) return response;
  throw new Refused(`${url}: HTTP ${response.status} ${response.statusText}`.trimEnd());
}

/** At which byte the answer begins. */
function beginning(url: string, response: Response, have: number): number {
  if (response.status !== 206) return 0;
  const range = response.headers.get('content-range') ?? 'none';
  if (have > 0 && range.startsWith(`bytes ${have}-`)) return have;
  throw new Refused(`${url}: was asked for bytes from ${have} on, sent ${range}`);
}

/** Notes the version of what is about to arrive; without one it cannot be taken up again. */
async function begin({ file, version }: Partial, { headers }: Response): Promise<void> {
  await rm(file, { force: true });
  const tag = headers.get('etag');
  const isStrong = tag !== null && !tag.startsWith('W/');
  const word = isStrong ? tag : headers.get('last-modified');
  if (word === null) await rm(version, { force: true });
  else await writeFile(version, word);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** `fetch` itself only says that it failed. */
function causeOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code! : message;
}
