/** `torchts verify-resume CONFIG [key=value...]` */

import { Command } from 'commander';
import { TorchtsError } from '../base/errors.ts';
import type { Trial, VerifyResult } from '../train/verify-resume.ts';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit.ts';
import { count } from './format.ts';
import { type CommandHelp, withHelp } from './help.ts';
import { type CommonOptions, overridesOf, positiveInteger, withCommon } from './options.ts';
import { resolveTarget } from './target.ts';

interface VerifyOptions extends CommonOptions {
  readonly steps: number;
}

const HELP: CommandHelp = {
  examples: [
    ['torchts verify-resume configs/cifar10-smoke.yaml', 'kill its training and go on with it'],
    [
      'torchts verify-resume configs/cifar10-smoke.yaml --steps 130',
      'far enough to end an epoch in between',
    ],
  ],
  notes:
    'Training runs in processes of their own, which are killed (SIGKILL) and started\n' +
    'again. Exit code 1 where a resumed one does not end with the same bytes.',
};

export function verifyResumeCommand(context: CommandContext): Command {
  const command = new Command('verify-resume')
    .summary('prove that training resumes exactly')
    .description(
      'Train the first steps of CONFIG without a stop, again, and with a kill in the middle of ' +
        'an epoch and at the end of one; then compare every byte of the checkpoints.',
    )
    .argument('<config>', 'a YAML file')
    .argument('[key=value...]', 'values over those of the config, read as YAML')
    .option('--steps <n>', 'how many steps to train', positiveInteger, 40)
    .action((target: string, overrides: string[], options: VerifyOptions) =>
      verify(context, target, overrides, options),
    );
  return withCommon(withHelp(command, HELP), 'device', 'threads', 'seed', 'json');
}

async function verify(
  { io, services, finish }: CommandContext,
  name: string,
  given: readonly string[],
  options: VerifyOptions,
): Promise<void> {
  const { config } = resolveTarget(name);
  const overrides = overridesOf(options, given);
  const loaded = await services.loadConfig(config, overrides);
  const { steps, threads } = options;
  const abort = new AbortController();
  const forget = io.onStop((signal) => abort.abort(signal));
  const onTrial = (trial: Trial) => {
    if (!options.json) io.stdout.write(`${trialLine(trial)}\n`);
  };
  try {
    const { signal } = abort;
    const asked = { loaded, config, overrides, threads, steps, signal, onTrial };
    const result = await services.verifyResume(asked);
    const text = options.json
      ? JSON.stringify({ event: 'verify-resume', ...result })
      : conclusion(result);
    io.stdout.write(`${text}\n`);
    finish(result.exact ? EXIT.done : EXIT.failed);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    throw new TorchtsError(`stopped by ${abort.signal.reason}`);
  } finally {
    forget();
  }
}

function trialLine({ kind, killed_after, difference }: Trial): string {
  const what = {
    again: 'trained again, without a stop',
    'mid-epoch': `killed after step ${killed_after}, within an epoch`,
    'epoch end': `killed after step ${killed_after}, at the end of an epoch`,
  }[kind];
  return `${what.padEnd(44)}  ${difference === null ? 'same bytes' : `DIFFERS: ${difference}`}`;
}

function conclusion({ name, steps, steps_per_epoch, trials, exact }: VerifyResult): string {
  const found = new Map(trials.map(({ kind, difference }) => [kind, difference]));
  const length = `${count(steps)} steps, ${count(steps_per_epoch)} an epoch`;
  if (exact) {
    const far = `; to end an epoch in between, give --steps ${steps_per_epoch + 1}`;
    return `${name} resumes exactly (${length}${found.has('epoch end') ? '' : far})`;
  }
  if (found.get('again') === null) return `${name} does not resume exactly (${length})`;
  return (
    `${name} does not train the same way twice, so it cannot resume exactly (${length}); ` +
    'look for Math.random() and times in code of your own'
  );
}
