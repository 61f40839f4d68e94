/** A web server for tests of downloads: what it serves, and how it misbehaves, is told it. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Served {
  readonly bytes: Buffer;
  readonly etag?: string;
  /** Ends the connection after so many bytes, the first time. */
  cutAfter?: number;
  /** Sends so many bytes, and then nothing, the first time. */
  stallAfter?: number;
}

export interface FileServer {
  readonly url: string;
  /** `GET PATH RANGE` of each request. */
  readonly requests: string[];
  readonly files: Map<string, Served | { readonly redirect: string }>;
}

export async function fileServer(): Promise<FileServer> {
  const requests: string[] = [];
  const files: FileServer['files'] = new Map();
  const server = createServer((request, response) => {
    const path = request.url!.slice(1);
    requests.push(`${path} ${request.headers.range ?? 'whole'}`);
    const file = files.get(path);
    if (file === undefined) response.writeHead(404).end('no such file');
    else if ('redirect' in file) response.writeHead(302, { location: file.redirect }).end();
    else serve(file, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests, files };
}

function serve(file: Served, { headers }: IncomingMessage, response: ServerResponse): void {
  const { bytes, etag } = file;
  const asked = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const isPart = asked > 0 && headers['if-range'] === etag;
  if (isPart && asked >= bytes.length) {
    response.writeHead(416).end();
    return;
  }
  const start = isPart ? asked : 0;
  const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  response.writeHead(isPart ? 206 : 200, {
    'content-length': bytes.length - start,
    ...(etag !== undefined && { etag }),
    ...(isPart && { 'content-range': range }),
  });
  const end = file.cutAfter ?? file.stallAfter;
  if (end === undefined) {
    response.end(bytes.subarray(start));
    return;
  }
  const isCut = file.cutAfter !== undefined;
  delete file.cutAfter;
  delete file.stallAfter;
  response.write(bytes.subarray(start, end), () => {
    if (isCut) setTimeout(() => response.destroy(), 20);
  });
}
