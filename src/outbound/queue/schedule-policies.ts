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

  /** Reads the rules of owners, each once. If they cannot be read, the schedule keeps those that it has. */
  async function read(owners: Iterable<string>): Promise<SchedulePolicy[]> {
    const found = Array.from(owners, (owner) => {
      const [tenant = '', keyId] = owner.split(' ');
      return policiesOf(tenant, keyId).catch(() => []);
    });
    const policies = (await Promise.all(found)).flat();
    return [...new Map(policies.map((policy) => [ownerOf(policy), policy])).values()];
  }

  async function write(policies: readonly SchedulePolicy[]): Promise<void> {
    await queue.setPolicies(policies);
    for (const policy of policies) known.set(ownerOf(policy), textOf(policy));
  }

  const writeChanged = (policies: readonly SchedulePolicy[]) =>
    write(policies.filter((policy) => textOf(policy) !== (known.get(ownerOf(policy)) ?? '')));

  return {
    /** Writes the rules for new tasks. */
    async beforeAdding(tasks: readonly JobTask[]): Promise<void> {
      await writeChanged(await read(new Set(tasks.map(ownerOf))));
    },

    /** Writes the rules of keys whose tasks were added without them. */
    async checkNew(): Promise<void> {
      await write(await read(await queue.listUnchecked()));
    },

    /** Writes the rules of a tenant or a key that has changed. */
    async update(tenant: string, keyId: string | undefined): Promise<void> {
      await write(await policiesOf(tenant, keyId));
    },

    /** Compares a part of the stored rules with the records, and writes those that differ. */
    async compareSome(): Promise<void> {
      known.clear();
      const owners = await queue.listOwners();
      for (const [owner, text] of owners) known.set(owner, text);
      const policies = await read(owners.keys());
      await writeChanged(policies.filter((policy) => owners.has(ownerOf(policy))));
    },
  };
}
