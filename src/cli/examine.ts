/** What `torchts doctor` looks at. */

import { accessSync, constants, existsSync, statSync } from 'node:fs';
import os from 'node:os';
import { dirname } from 'node:path';
import { version } from '../base/version.ts';
import { NOT_FETCHED } from '../data/known-sets.ts';
import { cacheFolder } from '../data/paths.ts';
import { type EngineInfo, engineInfo } from '../engine/native/info.ts';
import type { Check } from './doctor.ts';
import { count } from './format.ts';
import { type InstalledData, installedData } from './installed-data.ts';

/** Never throws: what fails is what the caller wants to hear about. */
export function examine(info: EngineInfo = engineInfo()): Check[] {
  return [
    { name: 'torchts', state: 'ok', found: version() },
    { name: 'Node.js', state: 'ok', found: `${process.version}, ${os.platform()} ${os.arch()}` },
    ...engineChecks(info),
    cacheCheck(),
    ...dataChecks(),
  ];
}

function engineChecks(info: EngineInfo): Check[] {
  if (!info.available) {
    return [{ name: 'engine', state: 'broken', found: info.reason, fix: 'npm run build' }];
  }
  const checks: Check[] = [
    { name: 'engine', state: 'ok', found: info.path },
    { name: 'CPU', state: 'ok', found: `${info.cpu}; kernels for ${info.isa}` },
    {
      name: 'threads',
      state: 'ok',
      found: `${info.threads}, of ${info.cpus} available CPUs (set TORCHTS_NUM_THREADS to change)`,
    },
  ];
  if (info.onednn !== null) checks.push({ name: 'oneDNN', state: 'ok', found: info.onednn });
  else checks.push(missing(info, 'oneDNN', 'libdnnl-dev', 'convolutions run on slower kernels'));
  if (info.lapack !== null) checks.push({ name: 'LAPACK', state: 'ok', found: info.lapack });
  else checks.push(missing(info, 'LAPACK', 'liblapack-dev', 'most of linalg cannot be computed'));
  return checks;
}

/** A library of kernels that is not in use, with its package in Debian. */
function missing(
  { providers }: EngineInfo & { available: true },
  name: string,
  debian: string,
  consequence: string,
): Check {
  const provider = `torchts_${name.toLowerCase()}`;
  const reason = providers.find((found) => found.name === provider)?.reason;
  return {
    name,
    state: 'missing',
    found: `${reason ?? 'not built'}; ${consequence}`,
    fix: `install ${debian} (Debian: apt-get install ${debian}), then: npm run build`,
  };
}

function cacheCheck(): Check {
  const folder = cacheFolder();
  // A cache that does not exist yet will be made in the nearest folder that does.
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  if (isWritableFolder(existing)) return { name: 'cache', state: 'ok', found: folder };
  return {
    name: 'cache',
    state: 'missing',
    found: `${existing} is not a folder that can be written`,
    fix: 'set TORCHTS_CACHE to one',
  };
}

function isWritableFolder(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Those that were never asked for share a line: nothing is wrong with them. */
function dataChecks(): Check[] {
  const all = installedData();
  const absent = all.filter(({ missing }) => missing === NOT_FETCHED);
  const checks = all.filter((data) => !absent.includes(data)).map(dataCheck);
  if (absent.length === 0) return checks;
  const names = absent.map(({ name }) => name).join(', ');
  const fix = 'torchts data fetch NAME';
  return [...checks, { name: 'other data', state: 'missing', found: `not fetched: ${names}`, fix }];
}

function dataCheck(data: InstalledData): Check {
  const name = `${data.type}, ${data.description}`;
  if (data.missing !== undefined) {
    return { name, state: 'missing', found: data.missing, ...(data.fix && { fix: data.fix }) };
  }
  const samples = `${count(data.train)} training and ${count(data.test)} test samples`;
  return { name, state: 'ok', found: `${samples} in ${data.folder}` };
}
