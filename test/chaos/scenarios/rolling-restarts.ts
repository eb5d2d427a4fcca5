import type { Member } from '../fleet/member.ts';
import type { Scenario } from '../scenario.ts';

/** Restarts process after process under load, like a deploy. Each must end with exit code 0. */
export const rollingRestarts: Scenario = {
  name: 'rolling',
  about: 'rolling restarts under load',
  async run(stage) {
    const { fleet, caller, accepted } = stage;
    const rounds = stage.short ? 1 : 10;
    let isDeploying = true;
    const submitting = (async () => {
      while (isDeploying) await accepted.submit(10, { maxConcurrent: 2, pauseMs: 400 });
    })();
    const unclean: string[] = [];
    const restart = async (member: Member) => {
      const { code, signal } = await member.end('SIGTERM');
      if (code !== 0) unclean.push(`${member.name}: ${code ?? signal}`);
      await member.start();
    };
    // One process of each role at a time, so that every role except the single webhooks process stays available.
    const others = [...fleet.apis, fleet.webhooks];
    for (let round = 0; round < rounds; round++) {
      for (const [at, worker] of fleet.workers.entries()) {
        await Promise.all([worker, ...others.slice(at, at + 1)].map(restart));
      }
    }
    isDeploying = false;
    await submitting;
    await stage.drained();
    const ids = new Set(accepted.byKey.values());
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
      { figure: 'calls with a refused connection', found: caller.outages.unreachable },
      { figure: 'calls with a retryable response', found: caller.outages.refused },
      { figure: 'calls without a response', found: countsOf(caller.outages.unanswered) },
    ];
  },
};

function countsOf(reasons: readonly string[]): string | number {
  const kinds = [...new Set(reasons)];
  return kinds.map((kind) => `${kind} (${reasons.filter((each) => each === kind).length})`).join(', ') || 0;
}
