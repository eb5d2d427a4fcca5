import { parseArgs } from 'node:util';
import { createClosers } from '../src/lib/closers.ts';
import { isMet, isTooNoisy, type Outcome, type Program } from './harness/program.ts';
import { figure, times } from './harness/table.ts';
import { accept } from './programs/accept.ts';
import { capacity } from './programs/capacity.ts';
import { delivery } from './programs/delivery.ts';
import { depth } from './programs/depth.ts';
import { dropin } from './programs/dropin.ts';
import { fairness } from './programs/fairness.ts';
import { flood } from './programs/flood.ts';
import { inputs } from './programs/inputs.ts';
import { memory } from './programs/memory.ts';
import { overhead } from './programs/overhead.ts';
import { read } from './programs/read.ts';
import { turns } from './programs/turns.ts';
import { usage } from './programs/usage.ts';
import { webhooks } from './programs/webhooks.ts';

const programs: readonly Program[] = [
  accept,
  read,
  overhead,
  memory,
  depth,
  capacity,
  turns,
  usage,
  webhooks,
  fairness,
  flood,
  dropin,
  delivery,
  inputs,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    pace: { type: 'string', default: '1' },
    rate: { type: 'string', default: '20' },
    full: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const unknown = positionals.filter((name) => !programs.some((program) => program.name === name));
if (unknown.length > 0) {
  const known = programs.map(({ name }) => name).join(', ');
  process.stderr.write(`There is no benchmark ${unknown.join(', ')}. There are: ${known}.\n`);
  process.exit(1);
}

/** Runs one program and prints its results. @returns whether the results are reliable and meet the goals. */
async function run(program: Program): Promise<boolean> {
  const startedMs = performance.now();
  const say = (line: string) => void process.stderr.write(`  ${program.name}: ${line}\n`);
  const closers = createClosers((error) => say(`not closed cleanly: ${(error as Error).message}`));
  const stop = () => void closers.close().then(() => process.exit(1));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const outcome = await program.run({
      rounds: Number(values.rounds),
      pace: Number(values.pace),
      jobsPerSecond: Number(values.rate),
      full: values.full,
      random: Math.random,
      say,
      closers,
    });
    return report(program, outcome, (performance.now() - startedMs) / 1000);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await closers.close();
  }
}

function report(program: Program, { tables, controls, goals }: Outcome, seconds: number): boolean {
  const noisy = controls.filter(isTooNoisy);
  const missed = goals.filter((goal) => !isMet(goal));
  const lines = [
    `## ${program.name}: ${program.title}`,
    ...tables,
    [
      ...controls.map(
        (each) => `control  ${each.what}: ${times(each.ratio)}${isTooNoisy(each) ? '  TOO NOISY' : ''}`,
      ),
      ...goals.map((goal) => {
        const verdict = isMet(goal) ? 'met   ' : 'MISSED';
        return `${verdict}   ${goal.what}: ${figure(goal.value)} ${goal.unit} (goal: ${goal.sense} ${figure(goal.limit)})`;
      }),
      `${Math.round(seconds)} s, medians of ${values.rounds} rounds`,
    ].join('\n'),
  ];
  process.stdout.write(`${lines.join('\n\n')}\n`);
  if (noisy.length > 0) {
    process.stdout.write(
      'too noisy: the same thing measured twice differs by more than 20 %; run it again on a quieter machine\n',
    );
  }
  process.stdout.write('\n');
  return noisy.length === 0 && missed.length === 0;
}

let good = true;
for (const program of programs) {
  if (positionals.length > 0 && !positionals.includes(program.name)) continue;
  good = (await run(program)) && good;
}
process.exitCode = good ? 0 : 1;
