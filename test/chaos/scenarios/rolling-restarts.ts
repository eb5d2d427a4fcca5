import type { Member } from '../fleet/member.ts';
import type { Scenario } from '../scenario.ts';

/** Deploys under load: process after process is told to stop, ends in good order and is started again. */
export const rollingRestarts: Scenario = {
  name: 'rolling',
  about: 'rolling restarts under load',
  async run(stage) {
    const { fleet, caller, promises } = stage;
    const rounds = stage.short ? 1 : 10;
    let isDeploying = true;
    const submitting = (async () => {
      while (isDeploying) await promises.generate(10, { maxConcurrent: 2, pauseMs: 400 });
    })();
    const unclean: string[] = [];
    const restart = async (member: Member) => {
      const { code, signal } = await member.end('SIGTERM');
      if (code !== 0) unclean.push(`${member.name}: ${code ?? signal}`);
      await member.start();
    };
    // One of each role at a time, so that every role is always there but the single webhooks process.
    const others = [...fleet.apis, fleet.webhooks];
    for (let round = 0; round < rounds; round++) {
      for (const [at, worker] of fleet.workers.entries()) {
        await Promise.all([worker, ...others.slice(at, at + 1)].map(restart));
      }
    }
    isDeploying = false;
    await submitting;
    await stage.drained();
    const ids = new Set(promises.byKey.values());
    const calls = fleet.provider.charges().filter((charge) => ids.has(charge.jobId)).length;
    return [
      { figure: 'restarts', found: rounds * fleet.members.length },
      {
        figure: 'processes that did not end with 0',
        found: unclean.join(', ') || 0,
        allowed: '0',
        ok: unclean.length === 0,
      },
      {
        figure: 'calls',
        found: calls,
        allowed: `${ids.size} for ${ids.size} images`,
        ok: calls === ids.size,
      },
      { figure: 'calls of callers that found nobody listening', found: caller.outages.unreachable },
      { figure: 'that were told to come again', found: caller.outages.refused },
      { figure: 'whose connection ended without an answer', found: countsOf(caller.outages.unanswered) },
    ];
  },
};

function countsOf(reasons: readonly string[]): string | number {
  const kinds = [...new Set(reasons)];
  return kinds.map((kind) => `${kind} (${reasons.filter((each) => each === kind).length})`).join(', ') || 0;
}
