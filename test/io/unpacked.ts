/** Reads zip archives with a library, for tests of our own writer. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openPromise } from 'yauzl';
import { temporaryFolder } from './temporary-folder.ts';

/** Every stored file, with the place where its contents begin; ZIP64 is known. */
export async function unpacked(bytes: Buffer) {
  const path = join(await temporaryFolder(), 'archive.zip');
  await writeFile(path, bytes);
  const zip = await openPromise(path, { autoClose: false });
  const files: { name: string; data: Buffer; start: number }[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      const { fileDataStart: start } = await zip.readLocalFileHeaderPromise(entry);
      const data = bytes.subarray(start, start + entry.uncompressedSize);
      files.push({ name: entry.fileName, data, start });
    }
  } finally {
    zip.close();
  }
  return files;
}
