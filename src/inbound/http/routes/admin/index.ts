import { getStatusRoute } from './get-status.ts';
import { resumeProviderRoute } from './resume-provider.ts';

/** Routes of operations, for the operator. */
export const adminRoutes = [getStatusRoute, resumeProviderRoute] as const;
