/** What a run tells a build server: JUnit XML of its `expect:`, and a summary on the job's page. */

import { appendFile } from 'node:fs/promises';
import { fileError, writeFileAtomic } from '../io/atomic.ts';
import type { RunSummary, TrainEvent } from '../train/events.ts';
import type { Io } from './io.ts';

type ExpectEvent = TrainEvent & { event: 'expect' };

/** Collects what was expected of a run, and writes it when the run is over. */
export class CiReport {
  readonly #expected: ExpectEvent[] = [];

  /** @param junit the file for JUnit XML, if any. */
  constructor(
    readonly io: Io,
    readonly junit: string | undefined,
  ) {}

  event(event: TrainEvent): void {
    if (event.event === 'expect') this.#expected.push(event);
  }

  /** Throws a FileError when a report cannot be written. */
  async write(summary: RunSummary): Promise<void> {
    if (this.junit !== undefined) {
      await writeFileAtomic(this.junit, junitXml(summary, this.#expected));
    }
    const page = this.io.env.GITHUB_STEP_SUMMARY;
    if (!page) return;
    try {
      await appendFile(page, markdown(summary, this.#expected));
    } catch (error) {
      throw fileError(`cannot write ${page}`, error);
    }
  }
}

/**
 * One test case for each bound; a run without bounds is one case that passed.
 * https://github.com/testmoapp/junitxml
 */
export function junitXml(summary: RunSummary, expected: readonly ExpectEvent[]): string {
  const { name, seconds } = summary;
  const failures = expected.filter(({ ok }) => !ok).length;
  const cases = expected.map(({ key, ok, message }) => testCase(name, key, ok ? '' : message));
  if (cases.length === 0) cases.push(testCase(name, 'trained', ''));
  const counts = `tests="${cases.length}" failures="${failures}" time="${seconds.toFixed(3)}"`;
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<testsuites ${counts}>\n  <testsuite name="${escaped(name)}" ${counts}>\n` +
    `${cases.join('')}  </testsuite>\n</testsuites>\n`
  );
}

function testCase(run: string, name: string, failure: string): string {
  const open = `    <testcase classname="${escaped(run)}" name="${escaped(name)}"`;
  if (failure === '') return `${open}/>\n`;
  return `${open}>\n      <failure message="${escaped(failure)}"/>\n    </testcase>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

const escaped = (text: string) => text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character]!);

/** A heading, the metrics and the bounds, for `GITHUB_STEP_SUMMARY`. */
function markdown(summary: RunSummary, expected: readonly ExpectEvent[]): string {
  const { name, ok, step, seconds, metrics } = summary;
  const rows = Object.entries({ ...metrics, seconds }).map(([key, value]) => {
    const bound = expected.find((event) => event.key === key);
    const verdict = bound === undefined ? '' : bound.ok ? 'met' : `**not met**: ${bound.message}`;
    return `| ${key} | ${Number(value.toPrecision(5))} | ${verdict} |`;
  });
  const heading = `### ${name}: ${ok ? 'done' : 'expectations not met'} after ${step} steps`;
  return `${heading}\n\n| metric | value | expected |\n| --- | --- | --- |\n${rows.join('\n')}\n\n`;
}
