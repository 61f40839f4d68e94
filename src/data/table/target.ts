/** What is to be predicted from a row: a class, or numbers. */

import { ConfigError } from '../../base/errors.ts';
import type { SampleDescription } from '../dataset.ts';
import type { Rows } from '../tensor-dataset.ts';
import { type Column, matrix, pick, rowNumber, type Table, words } from './columns.ts';

/** What is asked for where nothing says whether a target is a class or a number. */
export type Task = 'classification' | 'regression';

export interface Target extends Pick<SampleDescription, 'classes'> {
  readonly field: SampleDescription['target'];
  /** The targets of the rows of a table. Throws a `ConfigError` for one that is missing. */
  of(table: Table): Rows['targets'];
}

export interface TargetOptions {
  readonly target: string | readonly string[];
  readonly task?: Task | undefined;
}

/** The classes are those of `learned`. */
export function learnTarget(learned: Table, { target, task }: TargetOptions): Target {
  const names = [target].flat();
  const [first] = names as [string];
  const isText = names.length === 1 && learned.columns.get(first)!.kind === 'text';
  if ((task ?? (isText ? 'classification' : 'regression')) === 'regression') {
    return numberTarget(names);
  }
  if (names.length === 1) return classTarget(first, learnClasses(learned.columns.get(first)!));
  throw new ConfigError(`[table] a class is in one column, but target names ${names.length}`);
}

/** The target in the columns `names`: one of `classes` or, where there are none, numbers. */
export function knownTarget(names: readonly string[], classes: readonly string[]): Target {
  return classes.length > 0 ? classTarget(names[0]!, classes) : numberTarget(names);
}

const ADVICE = {
  words: 'task: regression needs numbers in its target',
  missing: 'a row without a target teaches nothing; take it out of the file',
};

function numberTarget(names: readonly string[]): Target {
  return {
    field: { dtype: 'float32', shape: [names.length] },
    classes: [],
    of: ({ rows, columns }) => matrix({ rows, columns: pick(columns, names) }, ADVICE),
  };
}

/** Words in their order, numbers in theirs. */
function learnClasses(column: Column): string[] {
  const classes = [...new Set(words(column))].filter((word) => word !== '');
  return classes.sort(column.kind === 'numbers' ? (a, b) => Number(a) - Number(b) : undefined);
}

/** The target in the column `name`: one of `classes`. */
function classTarget(name: string, classes: readonly string[]): Target {
  const indices = new Map(classes.map((label, i) => [label, BigInt(i)]));
  return {
    field: { dtype: 'int64', shape: [] },
    classes,
    of: (table) =>
      BigInt64Array.from(
        words(table.columns.get(name)!).map((word, place) => {
          const index = indices.get(word);
          if (index !== undefined) return index;
          const what = word === '' ? 'no value' : `"${word}"`;
          throw new ConfigError(
            `[table] row ${rowNumber(table, place)} has ${what} in column "${name}", ` +
              `which is no class; the classes are ${classes.join(', ')}`,
          );
        }),
      ),
  };
}
