import type { ImageJob } from '../../domain/image-job.ts';

/** Returns the name under which the provider knows the end user of a job; `undefined` if the deployment sends none. */
export type SafetyIdentifierOf = (job: ImageJob) => string | undefined;

/**
 * Creates the function that names the end user of a job to the provider. The name is a keyed hash of the tenant and of the
 * caller's own id of the end user, so that the provider can tell abusers apart and learns neither. Without an id of an end
 * user all jobs of the tenant share one name.
 *
 * @param keyedDigest a digest that only a holder of our secret can compute.
 */
export function createSafetyIdentifier(keyedDigest: (text: string) => string): SafetyIdentifierOf {
  return ({ tenant, request }) => keyedDigest(JSON.stringify([tenant, endUserOf(request) ?? null]));
}

/** Returns the caller's id of the end user. The options of the provider may contain it under its old name. */
function endUserOf(request: ImageJob['request']): string | undefined {
  const user = request?.provider_options?.user;
  return request?.safety_identifier ?? (typeof user === 'string' ? user : undefined);
}
