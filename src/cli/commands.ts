/** The list of commands. */

import type { Command } from 'commander';
import { benchCommand } from './bench.ts';
import { completeCommand, completionCommand } from './completion/commands.ts';
import type { CommandContext } from './context.ts';
import { dataCommand } from './data.ts';
import { diffCommand } from './diff.ts';
import { doctorCommand } from './doctor.ts';
import { evalCommand } from './eval.ts';
import { exportCommand } from './export.ts';
import { importCommand } from './import.ts';
import { initCommand } from './init.ts';
import { processIo } from './io.ts';
import { lsCommand } from './ls.ts';
import { predictCommand } from './predict.ts';
import { reportCommand } from './report.ts';
import { schemaCommand } from './schema.ts';
import { services } from './services.ts';
import { trainCommand } from './train.ts';
import { validateCommand } from './validate.ts';
import { verifyResumeCommand } from './verify-resume.ts';

/** For who wants to look at commands, not to run them. */
export function idleContext(): CommandContext {
  return { io: processIo(), services, finish: () => undefined };
}

export const commands: readonly ((context: CommandContext) => Command)[] = [
  trainCommand,
  evalCommand,
  predictCommand,
  exportCommand,
  importCommand,
  validateCommand,
  lsCommand,
  diffCommand,
  reportCommand,
  benchCommand,
  verifyResumeCommand,
  schemaCommand,
  initCommand,
  dataCommand,
  doctorCommand,
  completionCommand,
];

/** Those that only torchts' own scripts call. */
export const hiddenCommands: typeof commands = [completeCommand];
