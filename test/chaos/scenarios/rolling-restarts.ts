import type { Finding, Scenario } from '../scenario.ts';

/** Deploys under load: every process in turn is told to stop, ends in good order and is started again. */
export const rollingRestarts: Scenario = {
  name: 'rolling',
  about: 'rolling restarts under load',
  async run(stage) {
    const { fleet, caller, promises } = stage;
    const rounds = stage.short ? 1 : 10;
    let isDeploying = true;
    const ordering = (async () => {
      while (isDeploying) await promises.order(10, { atOnce: 2, pauseMs: 400 });
    })();
    let restarts = 0;
    const unclean: string[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const member of fleet.members) {
        const { code, signal } = await member.end('SIGTERM');
        if (code !== 0) unclean.push(`${member.name}: ${code ?? signal}`);
        await member.start();
        restarts += 1;
      }
    }
    isDeploying = false;
    await ordering;
    await stage.drained();
    const ids = new Set(promises.byKey.values());
    const calls = fleet.provider.charges().filter((charge) => ids.has(charge.jobId)).length;
    const findings: Finding[] = [
      { figure: 'restarts', found: restarts },
      {
        figure: 'processes that did not end with 0',
        found: unclean.join(', ') || 0,
        allowed: '0',
        ok: unclean.length === 0,
      },
      {
        figure: 'calls',
        found: calls,
        allowed: `${ids.size} for ${ids.size} pictures`,
        ok: calls === ids.size,
      },
      { figure: 'orders that had to be sent again', found: caller.troubles.broken + caller.troubles.refused },
    ];
    return findings;
  },
};
