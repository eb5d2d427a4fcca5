/**
 * Security headers of every response, from the OWASP list for REST services. A middleware that sets them one by one costs as
 * much as reading the request, so they are plain reply headers. The documentation page adds a content security policy.
 */
export const securityHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
} as const;
