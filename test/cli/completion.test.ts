import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idleContext } from '../../src/cli/commands.ts';
import { overrides } from '../../src/cli/completion/keys.ts';
import { SCRIPTS } from '../../src/cli/completion/scripts.ts';
import { completions } from '../../src/cli/completion/words.ts';
import { program } from '../../src/cli/program.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import type { Json } from '../../src/config/json-schema-form.ts';
import { registries } from '../../src/config/registries.ts';
import { torchts } from './harness.ts';

const definitions = configJsonSchema(registries).definitions as Json;
const config = {
  model: { type: 'Sequential', layers: [{ type: 'Linear', out_features: 3 }, 'ReLU'] },
  loss: 'CrossEntropyLoss',
  optimizer: { type: 'SGD', lr: 0.1 },
  trainer: { epochs: 1 },
};
const keys = (word: string) => overrides(definitions, config, word);

/** What may stand at the end of a line. */
function words(line: string): string[] {
  const given = line.split(' ').slice(1);
  return completions(program(idleContext()), given, (_, word) => keys(word));
}

describe('words', () => {
  it('are commands, and commands inside them', () => {
    expect(words('torchts tr')).toEqual(['train']);
    expect(words('torchts ')).toEqual(expect.arrayContaining(['train', 'eval', 'help']));
    expect(words('torchts ')).not.toContain('__complete');
    expect(words('torchts data f')).toEqual(['fetch']);
    expect(words('torchts data fetch cifar')).toEqual(['cifar10', 'cifar100']);
  });

  it('are options and what they may be', () => {
    expect(words('torchts train a.yaml --re')).toEqual(['--resume']);
    expect(words('torchts data fetch --source le')).toEqual(['lecun']);
    expect(words('torchts train --out configs/b')).toEqual(['configs/bench/']);
    expect(words('torchts export runs/x --format ')).toEqual(['safetensors', 'pt', 'onnx']);
    expect(words('torchts import a.pth --model configs/cifar10-c')).toEqual([
      'configs/cifar10-cnn.yaml',
    ]);
  });

  it('are configs and folders', () => {
    expect(words('torchts train configs/cifar10-c')).toEqual(['configs/cifar10-cnn.yaml']);
    expect(words('torchts validate conf')).toEqual(['configs/']);
    expect(words('torchts train configs/torchts')).toEqual([]);
    expect(words('torchts train no/such/folder/')).toEqual([]);
  });

  it('are keys of the config where a config was named', () => {
    expect(words('torchts train a.yaml optimizer.nes')).toEqual(['optimizer.nesterov=']);
    expect(words('torchts train --out x a.yaml seed=1 optimizer.nes')).toEqual([
      'optimizer.nesterov=',
    ]);
    expect(words('torchts doctor x')).toEqual([]);
  });
});

describe('keys', () => {
  it('are those of the section, and of the type that the config names', () => {
    expect(keys('tra')).toEqual(['trainer.']);
    expect(keys('optimizer.')).toContain('optimizer.momentum=');
    expect(keys('optimizer.')).not.toContain('optimizer.betas=');
    expect(keys('loss.label')).toEqual(['loss.label_smoothing=']);
    expect(keys('trainer.early_stopping.p')).toEqual(['trainer.early_stopping.patience=']);
  });

  it('lead into lists', () => {
    expect(keys('model.layers.')).toEqual(['model.layers.0.', 'model.layers.1.']);
    expect(keys('model.layers.0.out')).toEqual(['model.layers.0.out_features=']);
    expect(keys('model.layers.1.in')).toEqual(['model.layers.1.inplace=']);
  });

  it('have the values of enums, booleans and types', () => {
    expect(keys('device=')).toEqual(['device=auto', 'device=cpu']);
    expect(keys('optimizer.nesterov=')).toEqual([
      'optimizer.nesterov=true',
      'optimizer.nesterov=false',
    ]);
    expect(keys('optimizer.type=Adam')).toEqual([
      'optimizer.type=Adam',
      'optimizer.type=AdamW',
      'optimizer.type=Adamax',
    ]);
    expect(keys('loss=MSE')).toEqual(['loss=MSELoss']);
    expect(keys('seed=')).toEqual([]);
    expect(keys('no.such.key=')).toEqual([]);
  });
});

describe('torchts completion', () => {
  it.each(Object.entries(SCRIPTS))('prints the script of %s', async (shell, script) => {
    expect(await torchts(`completion ${shell}`)).toEqual({ code: 0, out: script, err: '' });
  });

  it('refuses a shell that it does not know', async () => {
    const { code, err } = await torchts('completion tcsh');
    expect(code).toBe(2);
    expect(err).toContain('Allowed choices are bash, zsh, fish');
  });
});

const hasShell = (name: string) => spawnSync(name, ['-c', 'true']).status === 0;

describe('in a shell', () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'torchts-completion-'));
    const command = path.join(folder, 'torchts');
    const main = path.resolve('dist/cli/main.js');
    writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
    chmodSync(command, 0o755);
    for (const [shell, script] of Object.entries(SCRIPTS)) {
      writeFileSync(path.join(folder, `script.${shell}`), script);
    }
    env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(shell: string, text: string): string[] {
    const { stdout } = spawnSync(shell, ['-c', text], { env, encoding: 'utf8' });
    return stdout.trim().split('\n');
  }

  /** What bash would put in place of its last word, which begins after = or the last blank. */
  function inBash(line: string): string[] {
    return run(
      'bash',
      `source ${folder}/script.bash; COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}
      _torchts torchts 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
  }

  it('bash completes', () => {
    expect(inBash('torchts tr')).toEqual(['train']);
    const line = 'torchts train configs/cifar10-cnn.yaml';
    expect(inBash(line.slice(0, -7))).toEqual(['configs/cifar10-cnn.yaml']);
    expect(inBash(`${line} optimizer.nes`)).toEqual(['optimizer.nesterov=']);
    expect(inBash(`${line} optimizer.type=RMS`)).toEqual(['RMSprop']);
    expect(inBash(`${line} model.layers.0.out`)).toEqual(['model.layers.0.out_channels=']);
    expect(inBash(`${line} --jun`)).toEqual(['--junit']);
  });

  if (hasShell('fish')) {
    it('fish completes', () => {
      const line = 'torchts train configs/cifar10-cnn.yaml optimizer.nes';
      const found = run('fish', `source ${folder}/script.fish; complete -C '${line}'`);
      expect(found).toEqual(['optimizer.nesterov=']);
    });
  }

  if (hasShell('zsh')) {
    it('zsh reads its script', () => {
      const init = 'autoload -U compinit; compinit -D';
      expect(run('zsh', `${init}; source ${folder}/script.zsh; whence -w _torchts`)).toEqual([
        '_torchts: function',
      ]);
    });
  }
});
