/** What a command's help says beside what commander knows of it: for `--help` and for its page. */

import type { Command } from 'commander';
import { EXIT, EXIT_MEANINGS } from './exit.ts';

export interface CommandHelp {
  /** Command lines to try, each with what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** What else there is to know, in paragraphs. */
  readonly notes?: string;
  /** Exit codes beside those that every command has. */
  readonly exits?: readonly (keyof typeof EXIT)[];
}

const helps = new WeakMap<Command, CommandHelp>();

/** Adds examples and notes to what `command --help` prints. */
export function withHelp(command: Command, help: CommandHelp): Command {
  helps.set(command, help);
  return command.addHelpText('after', `\n${helpText(help)}`);
}

export function helpOf(command: Command): CommandHelp | undefined {
  return helps.get(command);
}

function helpText({ examples, notes }: CommandHelp): string {
  const lines = examples.flatMap(([line, what]) => [`  # ${what}`, `  ${line}`]);
  const text = [examples.length > 1 ? 'Examples:' : 'Example:', ...lines].join('\n');
  return notes === undefined ? text : `${text}\n\n${notes}`;
}

/** The exit codes of a command with `help`, each with what it says. */
export function exitsOf({ exits = [] }: Partial<CommandHelp>): [code: number, meaning: string][] {
  const names = ['done', 'failed', 'usage', ...exits] as const;
  return names.map((name) => [EXIT[name], EXIT_MEANINGS[name]]);
}
