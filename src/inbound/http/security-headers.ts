/**
 * What tells browsers to be careful with every answer of ours, after the list of OWASP for REST services. They are set as
 * plain headers of the reply, because a middleware that sets them one by one costs as much as reading the request. The
 * page of the documentation adds its own content security policy.
 */
export const securityHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
} as const;
