import { type ErrorCode, errorCodes, errorRow } from '../src/domain/errors.ts';

/** The text of docs/errors.md. */
export function errorsPage(): string {
  return `# Errors

The \`code\` of a problem is stable: programs may depend on it, new ones may be added. **retry** says whether the same request may
succeed later without a change; such an answer carries \`Retry-After\`, every other \`x-should-retry: false\`. Where single fields are
at fault, \`errors\` points to each.

This page is written by \`npm run docs\` from [src/domain/errors.ts](../src/domain/errors.ts).

## Refused requests

They cost nothing. After a 5xx send an order again under its \`Idempotency-Key\`: should it have been accepted, you get that job.

${table(errorCodes.filter((code) => !errorRow(code).billing))}

## Ended jobs

They stand in \`error\` and \`image_errors\` of a job. **billing** is what they may say about the money of the call that failed: \`none\`
was spent, a charge is \`possible\`, or it was \`charged\`; \`cost\` tells of the whole job. The status matters only where a request
fails with one of them.

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
