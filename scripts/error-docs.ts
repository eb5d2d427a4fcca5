import { type ErrorCode, errorCodes, errorRow } from '../src/domain/errors.ts';

/** Returns the text of docs/errors.md. */
export function errorsPage(): string {
  return `# Errors

The \`code\` of a problem is stable: programs may depend on it. Releases may add codes. **retry** shows whether the same request can
succeed later. Responses with a retryable code carry \`Retry-After\`, all others \`x-should-retry: false\`. If single fields are invalid,
\`errors\` points to each of them.

This page is written by \`npm run docs\` from [src/domain/errors.ts](../src/domain/errors.ts).

## Refused requests

Refused requests cost nothing. After a 5xx, repeat the request with its \`Idempotency-Key\`. If the first request was accepted, the
response is its job.

${table(errorCodes.filter((code) => !errorRow(code).billing))}

## Ended jobs

\`error\` and \`image_errors\` of a job contain these codes. **billing** lists the possible charges of the failed call: \`none\` was spent, a
charge is \`possible\`, or the call was \`charged\`. \`cost\` covers the whole job. The status applies only if a request fails with the code.

${table(errorCodes.filter((code) => errorRow(code).billing))}
`;
}

function table(codes: readonly ErrorCode[]): string {
  const rows = codes.map((code) => {
    const { status, retryable, billing = ['none'], title } = errorRow(code);
    return `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${billing.join(', ')} | ${title} |`;
  });
  return ['| code | status | retry | billing | meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}
