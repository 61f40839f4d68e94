/** `torchts init [KIND]` */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Argument, Command } from 'commander';
import { ConfigError } from '../base/errors.ts';
import { SCHEMA, STARTERS, type Starter } from '../config/starter-kinds.ts';
import { writeFileAtomic } from '../io/atomic.ts';
import type { CommandContext } from './context.ts';
import { type CommandHelp, withHelp } from './help.ts';
import type { Io } from './io.ts';

const HELP: CommandHelp = {
  examples: [
    ['torchts init images', 'images.yaml, for the images that come with torchts'],
    ['torchts init images --data pets', 'for the folders pets/cat, pets/dog, ...'],
    ['torchts init table --data houses.csv --target kind', 'for a column of classes'],
    ['torchts init text-classification --data mail.csv --target label', 'for texts'],
    ['torchts init regression --data houses.csv --target price', 'for a column of numbers'],
  ],
  notes: `The config is a file of yours from then on: read its comments, change it,
train it. Nothing is ever overwritten.`,
};

interface InitOptions {
  readonly data?: string;
  readonly target?: string;
  readonly out?: string;
}

const KINDS = Object.keys(STARTERS) as Starter[];

export function initCommand(context: CommandContext): Command {
  const command = new Command('init')
    .summary('write a first config, for images, texts or a table')
    .description(
      `Write a commented config that trains at once:\n${Object.entries(STARTERS)
        .map(([kind, what]) => `  ${kind.padEnd(19)} ${what}`)
        .join('\n')}`,
    )
    .addArgument(new Argument('[kind]', 'what it is for; asked on a terminal').choices(KINDS))
    .option('--data <path>', 'the data of your own: a folder of images, a text, a table')
    .option('--target <column>', 'the column to predict; the last one unless given')
    .option('--out <file>', 'the config to write; KIND.yaml unless given')
    .action((kind: Starter | undefined, options: InitOptions) => init(context, kind, options));
  return withHelp(command, HELP);
}

async function init(
  { io, services }: CommandContext,
  given: Starter | undefined,
  { data, target, out }: InitOptions,
): Promise<void> {
  const kind = given ?? (await ask(io));
  const file = out ?? `${kind}.yaml`;
  if (existsSync(file)) {
    throw new ConfigError(`${file} is there already; name another file with --out`);
  }
  await writeFileAtomic(file, await services.starterConfig({ kind, file, data, target }));
  const wrote = [file];
  const schema = join(dirname(file), SCHEMA);
  if (!existsSync(schema)) {
    await writeFileAtomic(schema, await services.jsonSchema());
    wrote.push(`${schema}, by which editors check it`);
  }
  io.stdout.write(
    [
      `wrote ${wrote.join(' and ')}`,
      '',
      `  torchts validate ${file}`,
      `  torchts train ${file}`,
      '',
    ].join('\n'),
  );
}

/** Asks on a terminal; elsewhere nobody would answer. */
async function ask(io: Io): Promise<Starter> {
  const list = KINDS.join(', ');
  if (!io.stdout.isTTY || !process.stdin.isTTY) {
    throw new ConfigError(`say what the config is for: torchts init KIND, one of ${list}`);
  }
  const questions = createInterface({ input: process.stdin, output: io.stdout });
  try {
    const answer = (await questions.question(`What is it for (${list})? `)).trim();
    const kind = KINDS.find((known) => known === answer);
    if (kind === undefined) throw new ConfigError(`"${answer}" is none of ${list}`);
    return kind;
  } finally {
    questions.close();
  }
}
