/**
 * A lock file, so that two commands started together in a fresh checkout do not build on top of
 * each other. The holder touches the file every second; a file nobody touches belongs to a process
 * that died.
 */

import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TOUCH_EVERY_MS = 1000;
const STALE_AFTER_MS = 30_000;
const LOOK_EVERY_MS = 200;

/**
 * Runs `body` while holding the lock at `path`, waiting for it as long as its holder lives.
 *
 * @template T
 * @param {string} path
 * @param {{ onWait: (holder: string) => void }} options `onWait` is called once, when the lock is
 *   found taken, with a few words about the holder.
 * @param {() => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withLock(path, { onWait }, body) {
  mkdirSync(dirname(path), { recursive: true });
  const identity = JSON.stringify({ pid: process.pid, host: hostname(), since: Date.now() });
  let told = false;
  while (!create(path, identity)) {
    const holder = look(path);
    if (holder === undefined) continue;
    if (isStale(holder)) {
      remove(path, holder);
      continue;
    }
    // Empty: it is being written in this moment.
    if (!told && holder.text !== '') {
      onWait(holderName(holder));
      told = true;
    }
    await sleep(LOOK_EVERY_MS);
  }
  const release = () => rmSync(path, { force: true });
  const touching = setInterval(() => touch(path), TOUCH_EVERY_MS);
  process.on('exit', release);
  try {
    return await body();
  } finally {
    clearInterval(touching);
    process.off('exit', release);
    release();
  }
}

/**
 * @param {string} path
 * @param {string} identity
 */
function create(path, identity) {
  try {
    writeFileSync(path, identity, { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} path */
function touch(path) {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Somebody removed the lock; there is nothing better to do than to finish.
  }
}

/** @typedef {{ text: string, age: number }} Holder */

/**
 * @param {string} path
 * @returns {Holder | undefined}
 */
function look(path) {
  try {
    return { text: readFileSync(path, 'utf8'), age: Date.now() - statSync(path).mtimeMs };
  } catch {
    return undefined;
  }
}

/** @param {Holder} holder */
function isStale(holder) {
  if (holder.age > STALE_AFTER_MS) return true;
  const owner = parse(holder.text);
  // A process of another machine or container cannot be seen from here: only its touch tells.
  if (owner === undefined || owner.host !== hostname()) return false;
  return owner.pid === process.pid || !isAlive(owner.pid);
}

/** @param {Holder} holder */
function holderName(holder) {
  const owner = parse(holder.text);
  return owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host}`;
}

/**
 * @param {string} text
 * @returns {{ pid: number, host: string } | undefined} `undefined` while the file is being written
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/**
 * Removes the stale lock, and only that one: of two processes that both saw it, the slower may find
 * the faster one's new lock here, and puts it back.
 *
 * @param {string} path
 * @param {Holder} stale
 */
function remove(path, stale) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') !== stale.text) linkSync(aside, path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * @param {unknown} error
 * @returns {unknown}
 */
function errorCode(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
