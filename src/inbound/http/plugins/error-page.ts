import type { FastifyInstance } from 'fastify';
import { errorCodes, errorRow } from '../../../domain/errors.ts';
import { errorsPath } from '../problem.ts';

/** Serves the page to which the `type` of every problem links. */
export function useErrorPage(app: FastifyInstance): void {
  const page = errorPage();
  app.get(errorsPath, { schema: { hide: true } }, (_request, reply) =>
    reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('cache-control', 'public, max-age=3600')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .send(page),
  );
}

/** Returns the page. Every code is an anchor. The table holds no text of callers, and no character that needs escaping. */
function errorPage(): string {
  const rows = errorCodes.map((code) => {
    const { status, retryable, billing = ['none'], title } = errorRow(code);
    const cells = [`<code>${code}</code>`, status, retryable ? 'yes' : 'no', billing.join(', '), title];
    return `<tr id="${code}">${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Darkroom: errors</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  table { border-collapse: collapse; width: 100%; }
  td, th { border-bottom: 1px solid #ddd; padding: .4rem .6rem; text-align: left; vertical-align: top; }
  tr:target { background: #fff3bf; }
</style>
<h1>Errors</h1>
<p>The <code>code</code> of a problem is stable. <b>Retry</b> says whether the same request may succeed later: such a response has
<code>Retry-After</code>, every other has <code>x-should-retry: false</code>. <b>Billing</b> lists the charges that are possible if a
job ends with the code.</p>
<table>
<tr><th>code<th>status<th>retry<th>billing<th>meaning</tr>
${rows.join('\n')}
</table>
</html>
`;
}
