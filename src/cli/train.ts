/** `torchts train CONFIG|RUN [key=value...]` */

import { Command } from 'commander';
import { ConfigError } from '../base/errors.ts';
import type { Load } from '../sweep/plan.ts';
import { KILL_AFTER } from '../train/events.ts';
import { CiReport } from './ci-report.ts';
import type { CommandContext } from './context.ts';
import type { ShownEvent } from './event-lines.ts';
import { EXIT, type StopSignal } from './exit.ts';
import { type CommandHelp, withHelp } from './help.ts';
import { type CommonOptions, overridesOf, reportMode, withCommon } from './options.ts';
import { createReporter } from './progress.ts';
import { endOfSweep, sweepOverrides, sweepToResume } from './sweep.ts';
import { resolveTarget } from './target.ts';

interface TrainOptions extends CommonOptions {
  readonly out: string;
  readonly resume?: string;
  readonly profile?: string | true;
  readonly junit?: string;
  readonly sweep: readonly string[];
}

const HELP: CommandHelp = {
  examples: [
    ['torchts train configs/cifar10-cnn.yaml', 'train, into a new folder in runs/cifar10-cnn'],
    [
      'torchts train configs/cifar10-cnn.yaml optimizer.lr=0.01 trainer.epochs=5',
      'other values than those of the file',
    ],
    ['torchts train configs/cifar10-cnn.yaml --resume auto', 'go on with the newest run of it'],
    ['torchts train runs/cifar10-cnn/3 trainer.epochs=10', 'go on with run 3, for longer'],
    [
      'torchts train my.yaml --sweep optimizer.lr=1e-3,1e-2 --sweep seed=0,1',
      'four runs, one for each combination; see docs/sweeps.md',
    ],
    ['torchts train runs/my/sweep-1', 'go on with a sweep that was stopped'],
  ],
  notes: 'The first Ctrl-C finishes the step and writes a checkpoint; the second ends at\nonce.',
  exits: ['unmet', 'SIGINT', 'SIGTERM'],
};

export function trainCommand(context: CommandContext): Command {
  const command = new Command('train')
    .summary('train the model of a config')
    .description(
      'Train the model of CONFIG into a new folder NAME/N of --out, ' +
        'or go on with RUN, the folder of an earlier run.',
    )
    .argument('<config|run>', 'a YAML file, or the folder of a run')
    .argument('[key=value...]', 'values over those of the config, read as YAML')
    .option('--out <dir>', 'where runs are put', 'runs')
    .option('--resume <run>', 'go on from the newest checkpoint of a run; "auto": the newest run')
    .option('--profile [file]', 'write a Chrome trace of 20 steps; to profile.json of the run')
    .option('--junit <file>', 'write what the config expects, and whether it was met, as JUnit XML')
    .option('--sweep <key=v,v>', 'try several values; may be repeated', collect, [])
    .action((target: string, overrides: string[], options: TrainOptions) =>
      train(context, target, overrides, options),
    );
  return withCommon(withHelp(command, HELP), 'device', 'threads', 'seed', 'json', 'quiet');
}

async function train(
  { io, services, finish }: CommandContext,
  name: string,
  overrides: readonly string[],
  options: TrainOptions,
): Promise<void> {
  const target = resolveTarget(name);
  const given = overridesOf(options, overrides);
  const loadGiven: Load = (more) => services.loadConfig(target.config, [...given, ...more]);
  const swept = await sweepOverrides(options.sweep, loadGiven);
  const load: Load = (more) => loadGiven([...swept, ...more]);
  const loaded = await load([]);
  const reporter = await createReporter(reportMode(options), io);
  const report = new CiReport(io, options.junit);
  const abort = new AbortController();
  const forget = io.onStop((signal) => abort.abort(signal));
  let stopped: StopSignal | undefined;
  const common = {
    loaded,
    out: options.out,
    threads: options.threads,
    signal: abort.signal,
    onEvent(event: ShownEvent) {
      killIfAsked(event, io.env);
      if (event.event === 'stopped') stopped = abort.signal.reason as StopSignal;
      reporter.event(event);
      if (event.event !== 'trial' && event.event !== 'trial_failed') report.event(event);
    },
  };
  try {
    const resume = options.resume ?? target.sweep ?? target.run;
    if (loaded.config.sweep !== undefined) {
      if (options.junit !== undefined) {
        throw new ConfigError('--junit tells of one run; a sweep has many');
      }
      const from = await sweepToResume(resume, options.out, loaded);
      const summary = await services.sweep({ ...common, load, resume: from });
      reporter.close?.();
      return finish(endOfSweep(io, summary, options.json));
    }
    const summary = await services.train({ ...common, resume, profile: options.profile });
    if (stopped !== undefined) return finish(EXIT[stopped]);
    await report.write(summary);
    finish(summary.ok ? EXIT.done : EXIT.unmet);
  } finally {
    forget();
    reporter.close?.();
  }
}

/** As `torchts verify-resume` asks of the processes that it starts. */
function killIfAsked(event: ShownEvent, env: NodeJS.ProcessEnv): void {
  if (event.event === 'checkpoint' && String(event.step) === env[KILL_AFTER]) {
    process.kill(process.pid, 'SIGKILL');
  }
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
