import { isStorageKey } from '../storage-key.ts';
import { assertListing } from './response-check.ts';
import type { S3Access } from './s3-client.ts';

/** Lists the keys with a prefix, page by page. */
export async function listObjects(
  { client, sdk }: S3Access,
  query: { Bucket: string; Prefix: string },
  abortSignal: AbortSignal,
): Promise<string[]> {
  const keys: string[] = [];
  for (let token: string | undefined, hasMore = true; hasMore; hasMore = token !== undefined) {
    const command = new sdk.ListObjectsV2Command({
      ...query,
      ...(token ? { ContinuationToken: token } : {}),
    });
    const page = await client.send(command, { abortSignal });
    assertListing(page);
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => (Key && isStorageKey(Key) ? [Key] : [])));
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  }
  return keys;
}
