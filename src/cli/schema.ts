/** `torchts schema` */

import { Command } from 'commander';
import { writeFileAtomic } from '../io/atomic.ts';
import type { CommandContext } from './context.ts';
import { type CommandHelp, withHelp } from './help.ts';

const HELP: CommandHelp = {
  examples: [['torchts schema --out torchts.schema.json', 'write it beside your configs']],
  notes: `Editors with a YAML language server (VS Code's YAML extension, Neovim,
JetBrains, ...) complete and check a config that has this line near its top:
  # yaml-language-server: $schema=torchts.schema.json
The same file comes with torchts as configs/torchts.schema.json.`,
};

export function schemaCommand({ io, services }: CommandContext): Command {
  const command = new Command('schema')
    .summary('write the JSON Schema of configs, for editors')
    .description('Write the JSON Schema (draft 07) of configs: every key, type, default and range.')
    .option('--out <file>', 'where to; standard output unless given')
    .action(async ({ out }: { out?: string }) => {
      const text = await services.jsonSchema();
      if (out === undefined) io.stdout.write(text);
      else await writeFileAtomic(out, text);
    });
  return withHelp(command, HELP);
}
