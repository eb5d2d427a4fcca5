import { Cluster, type Redis } from 'ioredis';

/**
 * Connects to new primaries of a cluster as soon as they are known. Otherwise the first command would connect, and a
 * connection that may not queue would reject all further commands until then.
 */
export function connectPrimaries(cluster: Cluster): void {
  cluster.on('refresh', () => {
    for (const node of cluster.nodes('master')) if (node.status === 'wait') node.connect().catch(() => {});
  });
}

/** Resolves as soon as no primary is being connected. Resolves at once for a single server. */
export async function whenPrimariesConnected(client: Redis | Cluster): Promise<void> {
  if (!(client instanceof Cluster)) return;
  const connecting = client.nodes('master').filter(({ status }) => /^connect/.test(status));
  await Promise.all(
    connecting.map(
      (node) =>
        new Promise<void>((resolve) => {
          node.once('ready', resolve);
          node.once('end', resolve);
        }),
    ),
  );
}
