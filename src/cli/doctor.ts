/** `torchts doctor` */

import { Command } from 'commander';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit.ts';
import { table } from './format.ts';
import { type CommandHelp, withHelp } from './help.ts';
import { type CommonOptions, withCommon } from './options.ts';

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `missing`: torchts works without it, slower or with less; `broken`: it cannot train. */
  readonly state: 'ok' | 'missing' | 'broken';
  readonly found: string;
  /** What to do about it. */
  readonly fix?: string;
}

const HELP: CommandHelp = {
  examples: [
    ['torchts doctor', 'the engine, its kernels, the threads, the data'],
    ['torchts doctor --json', 'the same for a program to read'],
  ],
};

export function doctorCommand({ io, finish }: CommandContext): Command {
  const command = new Command('doctor')
    .summary('show what torchts found on this machine')
    .description('Show what torchts found on this machine, what is missing, and how to get it.')
    .action(async ({ json }: CommonOptions) => {
      const { examine } = await import('./examine.ts');
      const checks = examine();
      if (json) io.stdout.write(`${JSON.stringify({ event: 'doctor', checks })}\n`);
      else io.stdout.write(`${describe(checks)}\n`);
      if (checks.some((check) => check.state === 'broken')) finish(EXIT.failed);
    });
  return withCommon(withHelp(command, HELP), 'json');
}

function describe(checks: readonly Check[]): string {
  const rows = checks.map((check) => [check.name, check.state, check.found]);
  const fixes = checks
    .filter((check) => check.fix !== undefined)
    .map((check) => `${check.name}: ${check.fix}`);
  const text = table(['', 'state', 'found'], rows);
  return fixes.length === 0 ? text : [text, '', ...fixes].join('\n');
}
