import type { S3Client } from '@aws-sdk/client-s3';
import { notS3Name } from './s3-errors.ts';

/** The part of a response that the check reads. */
interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: { destroy?(): unknown };
}

/**
 * Makes every call of a client fail if the response is a page of HTML. A portal, a proxy or a web server at the address of
 * S3 sends such pages with status 200, and also with 404, which would read as a missing image.
 */
export function refuseHtml(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { statusCode, headers, body } = result.response as HttpResponse;
      const type = headers['content-type'] ?? '';
      if ((statusCode < 300 || statusCode === 404) && /^(text\/html|application\/xhtml)/i.test(type)) {
        // An unread body would hold its connection.
        body?.destroy?.();
        throw notS3(statusCode, 'the response is HTML');
      }
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'refuseHtml' },
  );
}

/**
 * Checks that a server confirmed an object. S3 and servers with its API always return an ETag. Its value is not compared,
 * because only some servers and some kinds of encryption use the MD5 of the bytes.
 */
export function assertETag(eTag: string | undefined): void {
  if (!eTag) throw notS3(200, 'the response has no ETag');
}

/** Checks that a response is a listing: a body of another kind would read as an empty bucket. */
export function assertListing({
  Name,
  KeyCount,
}: {
  Name?: string | undefined;
  KeyCount?: number | undefined;
}): void {
  if (Name === undefined && KeyCount === undefined) throw notS3(200, 'the response is no listing');
}

/** Creates an error that `readS3Fault` reads as a temporary fault: the server at the address is not S3. */
function notS3(httpStatusCode: number, message: string): Error {
  return Object.assign(new Error(message), { name: notS3Name, $metadata: { httpStatusCode } });
}
