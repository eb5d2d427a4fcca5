import type { CallerPolicy } from '../../domain/access-policy.ts';
import type { JobTask } from './intake-entry.ts';
import type { Scheduling } from './job-queue.ts';
import { ownerOf, type SchedulePolicy, textOf } from './schedule/set-policies.ts';

interface Deps {
  readonly queue: Pick<Scheduling, 'setPolicies' | 'listOwners' | 'listUnchecked'>;
  /** Returns the rules for a key and its tenant. Its reads are cached. */
  readonly policyOf: (tenant: string, keyId: string | undefined) => Promise<CallerPolicy>;
}

const maxWeight = 100;

/**
 * Creates the updates of the rules that the schedule applies: weights of tenants, and limits of concurrent jobs. The schedule
 * stores them, because its scripts cannot read the records of tenants and keys in other slots of a cluster.
 */
export function createSchedulePolicies({ queue, policyOf }: Deps) {
  /** Stored texts, as this process wrote or read them in the last second. */
  const known = new Map<string, string>();

  async function policiesOf(tenant: string, keyId: string | undefined): Promise<SchedulePolicy[]> {
    const { tenant: ofTenant, key } = await policyOf(tenant, keyId);
    const weight = Math.min(maxWeight, Math.max(1, Math.floor(ofTenant.weight ?? 1)));
    return [
      { tenant, weight, concurrentJobs: ofTenant.limits?.concurrentJobs },
      ...(keyId === undefined ? [] : [{ tenant, keyId, weight, concurrentJobs: key.limits?.concurrentJobs }]),
    ];
  }

  async function write(policies: readonly SchedulePolicy[]): Promise<void> {
    const changed = policies.filter((policy) => textOf(policy) !== (known.get(ownerOf(policy)) ?? ''));
    await queue.setPolicies(changed);
    for (const policy of changed) known.set(ownerOf(policy), textOf(policy));
  }

  return {
    /** Writes the rules for new tasks. If they cannot be read, the schedule keeps those that it has. */
    async beforeAdding(tasks: readonly JobTask[]): Promise<void> {
      const owners = new Map(tasks.map((task) => [ownerOf(task), task]));
      const found = await Promise.all(
        [...owners.values()].map(({ tenant, keyId }) => policiesOf(tenant, keyId).catch(() => [])),
      );
      await write([...new Map(found.flat().map((policy) => [ownerOf(policy), policy])).values()]);
    },

    /** Writes the rules of keys whose tasks were added without them. */
    async checkNew(): Promise<void> {
      const owners = await queue.listUnchecked();
      const found = owners.map((owner) => {
        const [tenant = '', keyId] = owner.split(' ');
        return policiesOf(tenant, keyId).catch(() => []);
      });
      const policies = (await Promise.all(found)).flat();
      await queue.setPolicies(policies);
      for (const policy of policies) known.set(ownerOf(policy), textOf(policy));
    },

    /** Writes the rules of a tenant or a key that has changed. */
    async update(tenant: string, keyId: string | undefined): Promise<void> {
      await queue.setPolicies(await policiesOf(tenant, keyId));
    },

    /** Compares a part of the stored rules with the records, and writes those that differ. */
    async compareSome(): Promise<void> {
      known.clear();
      const owners = await queue.listOwners();
      const found = [];
      for (const [owner, text] of owners) {
        const [tenant = '', keyId] = owner.split(' ');
        known.set(owner, text);
        found.push(policiesOf(tenant, keyId).catch(() => []));
      }
      const policies = (await Promise.all(found)).flat().filter((policy) => owners.has(ownerOf(policy)));
      await write(policies);
    },
  };
}
