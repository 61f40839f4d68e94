/** Which words may stand at a place of a command line: from the tree of commands. */

import fs from 'node:fs';
import path from 'node:path';
import type { Argument, Command, Option } from 'commander';

/** Gives the overrides that begin with `word` for the config `target`. */
export type CompleteKeys = (target: string, word: string) => string[];

/**
 * The words that may stand in place of the last of `words`.
 *
 * @param words what follows `torchts` on the line; the last one is being typed, and may be empty.
 */
export function completions(
  root: Command,
  words: readonly string[],
  completeKeys: CompleteKeys,
): string[] {
  const word = words.at(-1) ?? '';
  const { command, given, option } = follow(root, words.slice(0, -1));
  if (option !== undefined) return beginning(word, valuesOf(option, word));
  if (word.startsWith('-')) return beginning(word, flagsOf(command));
  const isFirst = given.length === 0;
  if (isFirst && command.commands.length > 0) return beginning(word, namesOf(command));
  const { registeredArguments } = command;
  const argument = registeredArguments[Math.min(given.length, registeredArguments.length - 1)];
  if (
    argument === undefined ||
    (given.length >= registeredArguments.length && !argument.variadic)
  ) {
    return [];
  }
  if (argument.name() === OVERRIDES) return completeKeys(given[0]!, word);
  return beginning(word, argumentValues(argument, word));
}

/** The argument of `key=value` pairs. */
export const OVERRIDES = 'key=value';

interface Position {
  readonly command: Command;
  /** Arguments of the command so far. */
  readonly given: readonly string[];
  /** The option whose value comes next. */
  readonly option: Option | undefined;
}

/** Where a line leads to. */
function follow(root: Command, words: readonly string[]): Position {
  let command = root;
  let given: string[] = [];
  let option: Option | undefined;
  for (const word of words) {
    if (option !== undefined) option = undefined;
    else if (word.startsWith('-')) {
      const found = command.options.find(({ long, short }) => word === long || word === short);
      option = found?.required ? found : undefined;
    } else {
      const inner = given.length === 0 && command.commands.find((each) => each.name() === word);
      if (inner) [command, given] = [inner, []];
      else given.push(word);
    }
  }
  return { command, given, option };
}

const beginning = (word: string, all: readonly string[]) =>
  all.filter((candidate) => candidate.startsWith(word));

function namesOf(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((each) => each.name());
}

function flagsOf(command: Command): string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap((option) => option.long ?? []);
}

function valuesOf({ argChoices, flags }: Option, word: string): readonly string[] {
  if (argChoices !== undefined) return argChoices;
  return /<(?:file|dir|run|which|model)>/.test(flags) ? entries(word, () => true) : [];
}

/** Configs, and folders: those of runs are among them. */
function argumentValues(argument: Argument, word: string): readonly string[] {
  if (argument.argChoices !== undefined) return argument.argChoices;
  const takesConfigs = /config/.test(argument.name());
  return entries(word, (name) => !takesConfigs || /\.ya?ml$/.test(name));
}

/** Files whose names are wanted, and folders, that begin with `word`. */
function entries(word: string, isWanted: (name: string) => boolean): string[] {
  const folder = word.slice(0, word.lastIndexOf('/') + 1);
  try {
    return fs
      .readdirSync(folder === '' ? '.' : folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.') || path.basename(word).startsWith('.'))
      .flatMap((entry) => {
        if (entry.isDirectory()) return `${folder}${entry.name}/`;
        return isWanted(entry.name) ? `${folder}${entry.name}` : [];
      })
      .sort();
  } catch {
    return []; // no such folder
  }
}
