import { AppError } from '../../domain/errors.ts';
import { isKnown } from '../../domain/open.ts';
import type { UsageCounters } from '../../domain/ports.ts';
import {
  type UsageDimension,
  type UsageGroup,
  type UsageGrouping,
  usageDimensions,
} from '../../domain/usage.ts';

interface Deps {
  usageCounters: Pick<UsageCounters, 'read'>;
  /** Metadata keys that the operator names. */
  metadataKeys: readonly string[];
}

const metadataPrefix = 'metadata.';

/** Parses `day,model,key,provider,metadata.x`. @throws AppError `validation_failed` */
export function parseGrouping(text: string | undefined, metadataKeys: readonly string[]): UsageGrouping {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const dimensions = new Set<UsageDimension>();
  const keys = new Set<string>();
  for (const name of names) {
    const key = name.startsWith(metadataPrefix) ? name.slice(metadataPrefix.length) : undefined;
    if (isKnown(usageDimensions, name)) dimensions.add(name);
    else if (key !== undefined && metadataKeys.includes(key)) keys.add(key);
    else throw unknownDimension(name, metadataKeys);
  }
  return { dimensions, metadataKeys: [...keys] };
}

function unknownDimension(name: string, metadataKeys: readonly string[]): AppError {
  const known = [...usageDimensions, ...metadataKeys.map((key) => `${metadataPrefix}${key}`)];
  const hint = name.startsWith(metadataPrefix)
    ? ' The operator names metadata keys in USAGE_METADATA_KEYS.'
    : '';
  const detail = `group_by cannot contain ${JSON.stringify(name.slice(0, 80))}. Use: ${known.join(', ')}.${hint}`;
  return new AppError('validation_failed', { detail, issues: [{ pointer: '/query/group_by', detail }] });
}

/** The usage of a tenant in groups. */
export interface UsageReport {
  /** Lists that follow each other. A list that did not change since an earlier report may be the same object. */
  readonly parts: readonly (readonly UsageGroup[])[];
  readonly grouping: UsageGrouping;
}

/** Creates the report of a tenant's usage in a range of UTC days. `toDay` is exclusive. */
export function createReportUsage(deps: Deps) {
  return async (
    tenant: string,
    query: { readonly fromDay: number; readonly toDay: number; readonly groupBy?: string | undefined },
  ): Promise<UsageReport> => {
    const { fromDay, toDay } = query;
    const grouping = parseGrouping(query.groupBy, deps.metadataKeys);
    return { parts: await deps.usageCounters.read(tenant, { fromDay, toDay, grouping }), grouping };
  };
}
export type ReportUsage = ReturnType<typeof createReportUsage>;
